"""Writes ``stepgate_client/blocking.py``, the synchronous client, from the asynchronous one.

    python clients/python/make_blocking.py

Each public method of the classes below gets one of the same name and arguments that waits for the other's result. A
test makes the module again and compares, so the two cannot differ.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent / "src" / "stepgate_client"
TARGET = PACKAGE / "blocking.py"

HEAD = '''"""The client without ``await``: ``Client`` and its parts, with the methods of the asynchronous ones.

    with Client(url, token=token) as client:
        job = client.job(client.create_jobs().job_ids[0])
        print(job.run())

It runs an event loop in a thread of its own, which ``close`` ends; it may be used from several threads. Callbacks are
called in that thread, and must not call the client. Made by ``make_blocking.py`` from the asynchronous client: change
that one.
"""
'''

INIT = """
    def __init__(self, loop: Loop, asynchronous: {module}.{name}) -> None:
        self._loop = loop
        self._asynchronous = asynchronous
"""

CLIENT_END = '''
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all sockets, end running iterations and the thread. Idempotent."""
        with suppress(RuntimeError):  # it is closed already
            self._loop.run(self._asynchronous.close())
        self._loop.close()
'''


class Source:
    """A module of the asynchronous client: where the names in it come from."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.tree = ast.parse((PACKAGE / f"{module}.py").read_text())
        self.origins: dict[str, tuple[str, str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                self.origins |= {alias.name: ("", alias.name) for alias in node.names}
            if isinstance(node, ast.ImportFrom) and node.module:
                self.origins |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        for node in self.tree.body:
            for name in _defined(node):
                self.origins[name] = (f"stepgate_client.{module}", name)

    def class_(self, name: str) -> ast.ClassDef:
        """The definition of a class of this module."""
        return next(node for node in self.tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def main() -> None:
    """Write the module."""
    TARGET.write_text(text())


def text() -> str:
    """The module as it must be."""
    client = Source("client")
    parts = list(_parts(client))
    handle = ("job", "job_handle", "JobHandle")
    imports: dict[str, set[str]] = {
        "contextlib": {"suppress"},
        "types": {"TracebackType"},
        "typing": {"Self"},
        "stepgate_client": {"client", "job_handle", *(module for _, module, _ in parts)},
        "stepgate_client.blocking_loop": {"Loop"},
        "stepgate_client.blocking_notifications": {"Notifications"},
    }
    classes = [_class(Source(module), name, imports) for _, module, name in [*parts, handle]]
    classes.append(_client_class(client, parts, imports))
    lines = [f"import {name}" for name in sorted(imports.pop("", ()))]
    lines += [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(imports.items())]
    return _formatted(HEAD + "\n" + "\n".join(lines) + "\n\n\n" + "\n\n".join(classes))


def _parts(client: Source) -> Iterator[tuple[str, str, str]]:
    """Attribute, module and class of each part that the client makes for itself (``self.people = People(...)``)."""
    [init] = [node for node in client.class_("Client").body if getattr(node, "name", "") == "__init__"]
    for node in ast.walk(init):
        match node:
            case ast.Assign(targets=[ast.Attribute(attr=attribute)], value=ast.Call(func=ast.Name(id=name))):
                if not attribute.startswith("_"):
                    yield attribute, client.origins[name][0].removeprefix("stepgate_client."), name


def _class(source: Source, name: str, imports: dict[str, set[str]]) -> str:
    node = source.class_(name)
    body = [f"class {name}:\n    {_docstring(node, 4)}\n", INIT.format(module=source.module, name=name)]
    return "".join(body) + "".join(_methods(source, node, imports))


def _client_class(source: Source, parts: list[tuple[str, str, str]], imports: dict[str, set[str]]) -> str:
    node = source.class_("Client")
    [init] = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    _import_names(source, init.args, imports)
    made = [f"        self.{attr} = {name}(self._loop, self._asynchronous.{attr})\n" for attr, _, name in parts]
    return (
        f"class Client:\n    {_docstring(node, 4)}\n\n"
        f"    def __init__({ast.unparse(init.args)}) -> None:\n"
        "        self._loop = Loop()\n"
        f"        self._asynchronous = client.Client({_passed_on(init)})\n"
        + "".join(made)
        + "".join(_methods(source, node, imports))
        + CLIENT_END
    )


def _methods(source: Source, node: ast.ClassDef, imports: dict[str, set[str]]) -> Iterator[str]:
    for item in node.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and not item.name.startswith("_"):
            if item.name == "close":  # the client's own, see CLIENT_END
                continue
            yield _method(source, item, imports)


def _method(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef, imports: dict[str, set[str]]) -> str:
    if node.returns is None:
        raise ValueError(f"{source.module}.py: {node.name} must say what it returns.")
    call = f"self._asynchronous.{node.name}({_passed_on(node)})"
    returns = ast.unparse(node.returns).replace("AsyncIterator", "Iterator")
    _import_names(source, node.args, imports)
    _import_names(source, node.returns, imports)
    if isinstance(node, ast.AsyncFunctionDef):
        statement = f"return self._loop.run({call})" if returns != "None" else f"self._loop.run({call})"
    elif returns.startswith("Iterator["):
        statement = f"return self._loop.iterate({call})"
        imports.setdefault("collections.abc", set()).add("Iterator")
    else:
        statement = f"return {returns}(self._loop, {call})"
    return (
        f"\n    def {node.name}({ast.unparse(node.args)}) -> {returns}:\n"
        f"        {_docstring(node, 8)}\n        {statement}\n"
    )


def _passed_on(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The arguments of a method as another of the same name is called with them."""
    args = node.args
    passed = [arg.arg for arg in args.args if arg.arg != "self"]
    passed += [f"*{args.vararg.arg}"] if args.vararg else []
    passed += [f"{arg.arg}={arg.arg}" for arg in args.kwonlyargs]
    passed += [f"**{args.kwarg.arg}"] if args.kwarg else []
    return ", ".join(passed)


OWN = {"Notifications", "JobHandle", "AsyncIterator"}
"""Names that mean something else here."""


def _import_names(source: Source, node: ast.AST, imports: dict[str, set[str]]) -> None:
    for name in ast.walk(node):
        if isinstance(name, ast.Name) and name.id in source.origins and name.id not in OWN:
            module, original = source.origins[name.id]
            imports.setdefault(module, set()).add(original if original == name.id else f"{original} as {name.id}")


def _defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _docstring(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, indent: int) -> str:
    documentation = ast.get_docstring(node, clean=True) or f"As ``{node.name}`` of the asynchronous client."
    blanks = "\n" + " " * indent
    return (
        '"""' + documentation.replace("\n\n", "\n\0\n").replace("\n", blanks).replace(f"{' ' * indent}\0", "") + '"""'
    )


def _formatted(code: str) -> str:
    """As ``ruff`` leaves it."""
    for command in (["check", "--fix", "--quiet", "--select", "I"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(TARGET), "-"]
        code = subprocess.run(ruff, input=code, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own
    return code


if __name__ == "__main__":
    main()
