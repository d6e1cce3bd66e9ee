#!/bin/sh
# image-data.sh FOLDER UID: make the data folder that only the account UID may enter.
set -eu

install -d -m 700 -o "$2" -g "$2" "$1"
