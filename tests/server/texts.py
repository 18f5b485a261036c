"""The texts that the server says, found in its source: what the catalogue of each language must have."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import fairlead
from fairlead import errors
from fairlead.server import failures
from fairlead.server.registry import COMMANDS

SOURCE = Path(fairlead.__file__).parent
PLACES = ("server", "proto", "storage")
"""Where replies are made, and exceptions whose texts become replies."""
ELSEWHERE = frozenset({
    "proto/client_hello.py", "proto/command.py", "proto/features.py", "proto/hashes.py", "proto/proxy.py",
    "proto/reply.py", "proto/url.py", "server/certificates.py", "server/layer.py", "server/listener.py",
    "server/proxied.py", "server/workers.py",
})  # fmt: skip
"""What is said there a client of this server never hears."""
ERRORS = "errors"
"""Where texts of all codes from 400 on stand."""
CODES: dict[str, int] = {"run": 150, "receive_file": 150, "_changed": 200}
"""What is called with a text and makes a reply of it, and the reply's code."""
LINES = {"_state": 211, "describe": 211}
"""Functions that give lines of a reply."""
FAILURES = frozenset(
    name
    for module in (errors, failures)
    for name, kind in vars(module).items()
    if isinstance(kind, type)
    and issubclass(kind, errors.FairleadError)
    and not issubclass(kind, errors.ClientError | errors.ConfigError | errors.TlsError | errors.LoginRefused)
)


def spoken() -> dict[tuple[str, str], str]:
    """Table and template, with ``{0}``, ``{1}`` … for what is filled in, of each text; and where it stands."""
    found: dict[tuple[str, str], str] = {}
    for place in PLACES:
        for file in sorted((SOURCE / place).rglob("*.py")):
            name = str(file.relative_to(SOURCE))
            if name not in ELSEWHERE:
                for table, text, line in _Module(file).texts():
                    found.setdefault((table, text.strip(" ").removesuffix(".")), f"{name}:{line}")
    for verb, spec in COMMANDS.items():
        summary = (inspect.getdoc(spec.handler) or "").partition("\n")[0]
        found.setdefault(("214", summary.removesuffix(".")), f"the docstring of {verb}")
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.StorageError):
            found.setdefault((ERRORS, kind.reason), f"{kind.__name__}.reason")
    return found


class _Module:
    """What one module says."""

    def __init__(self, file: Path) -> None:
        self._tree = ast.parse(file.read_text("utf-8"))
        self._any_code = ERRORS if file.name == "failures.py" else "213"
        self._named: dict[str, list[ast.expr]] = {}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._named.setdefault(node.targets[0].id, []).append(node.value)

    def texts(self) -> Iterator[tuple[str, str, int]]:
        """Table, template and line."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call):
                for table, argument in self._said(node):
                    yield from ((table, template(part), part.lineno) for part in self._strings(argument))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from self._of_function(node)

    def _of_function(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, str, int]]:
        if function.name in LINES:
            for node in ast.walk(function):
                if isinstance(node, ast.Yield | ast.Return) and node.value is not None:
                    for part in self._strings(node.value):
                        yield str(LINES[function.name]), template(part), part.lineno
        for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
            if argument.arg == "opening" and default is not None:
                yield "150", template(default), default.lineno

    def _said(self, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        """What ``call`` says, and the table in which that stands."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        details = [keyword.value for keyword in call.keywords if keyword.arg in {"detail", "opening"}]
        if name == "Reply" and call.args:
            code = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
            assert code is None or isinstance(code, int)
            table = self._any_code if code is None else str(code) if code < 400 else ERRORS
            yield from ((table, argument) for argument in call.args[1:])
        elif name in CODES:
            yield from ((str(CODES[name]), argument) for argument in (*call.args, *details))
        elif name in FAILURES:
            yield from ((ERRORS, argument) for argument in (*call.args, *details))
        elif name == "send_chunks":
            yield from (("150", argument) for argument in details)

    def _strings(self, node: ast.expr) -> Iterator[ast.expr]:
        """The strings that ``node`` may become, with all they are made of."""
        if isinstance(node, ast.IfExp):
            yield from self._strings(node.body)
            yield from self._strings(node.orelse)
        elif isinstance(node, ast.Starred):
            yield from self._strings(node.value)
        elif isinstance(node, ast.GeneratorExp | ast.ListComp):
            yield from self._strings(node.elt)
        elif isinstance(node, ast.Tuple | ast.List):
            for each in node.elts:
                yield from self._strings(each)
        elif isinstance(node, ast.Name) and node.id in {"message", "opening"}:
            for value in self._named.get(node.id, ()):
                yield from self._strings(value)
        elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield node


def template(node: ast.expr) -> str:
    """A string as it stands in a catalogue: what is filled in by number."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    text, number = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            text += f"{{{number}}}"
            number += 1
    return text
