"""The shapes of the wire: msgspec structs, decoders and encoders made once."""
