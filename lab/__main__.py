"""The laboratory's command line; ``lab/__init__.py`` shows its use."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from pathlib import Path

from lab import clients, namespaces, report
from lab.addresses import ROUTERS, Host
from lab.compose import compose
from lab.laboratory import Lab
from lab.matrix import Row, run, tasks
from lab.obstacles import OBSTACLES
from lab.servers import SERVERS, Protection, served
from lab.topologies import TOPOLOGIES, Topology, topology

ROOT = Path(__file__).parents[1]
MATRIX_PAGE = ROOT / "docs" / "lab" / "matrix.md"
CLIENTS_PAGE = ROOT / "docs" / "lab" / "clients.md"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="Real obstacles for FTP, on this machine.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the topologies, and the obstacles that others are composed of")
    down = verbs.add_parser("down", help="remove what processes left that were killed")
    down.add_argument("--all", action="store_true", help="and the laboratories that others are using now")
    show = verbs.add_parser("show", help="the rules and kernel settings of a topology's routers")
    show.add_argument("topology", type=_topology)
    run = verbs.add_parser("run", help="build a topology, run a program inside, take it down")
    run.add_argument("topology", type=_topology)
    run.add_argument("--at", type=Host, choices=list(Host), default=Host.CLIENT, help="the machine to run it at")
    run.add_argument("--server", choices=[*SERVERS, "none"], default="fairlead")
    run.add_argument("--tls", type=Protection, choices=list(Protection), default=Protection.CLEAR)
    run.add_argument("command", nargs="+", help="the program and its arguments, after --")
    matrix = verbs.add_parser("matrix", help="every topology by server by protection: modes, diagnosis, advice")
    matrix.add_argument("--write", action="store_true", help=f"write {MATRIX_PAGE.relative_to(ROOT)}")
    matrix.add_argument("--compose", type=int, default=0, metavar="N", help="N topologies drawn at random instead")
    matrix.add_argument("--seed", type=int, help="the first of them again")
    clients = verbs.add_parser("clients", help="whether and when other clients get a listing, beside ours")
    clients.add_argument("--write", action="store_true", help=f"write {CLIENTS_PAGE.relative_to(ROOT)}")
    for verb in (matrix, clients):
        verb.add_argument("--servers", type=_words, default=list(SERVERS), metavar="NAME,…")
        verb.add_argument("--topologies", type=_topologies, default=list(TOPOLOGIES.values()), metavar="NAME,…")
        verb.add_argument("--side-by-side", type=int, default=4, metavar="N", help="rows at the same time")
    return parser


def _words(text: str) -> list[str]:
    return text.split(",")


def _topologies(text: str) -> list[Topology]:
    return [_topology(name) for name in text.split(",")]


def _topology(name: str) -> Topology:
    try:
        return topology(name)
    except (KeyError, ValueError) as error:
        message = f"{error} is neither a topology nor obstacles joined by +; python -m lab list shows them"
        raise argparse.ArgumentTypeError(message) from error


def _list() -> int:
    width = max(map(len, [*TOPOLOGIES, *OBSTACLES]))
    for known in TOPOLOGIES.values():
        print(f"{known.name:{width}}  {known.says}")
    print("\nobstacles, to be joined by + into topologies:\n")
    for obstacle in OBSTACLES.values():
        print(f"{obstacle.name:{width}}  {obstacle.host}: {obstacle.says}")
    return 0


def _show(shown: Topology) -> int:
    for host in ROUTERS:
        print(f"# {host}\n{shown.rules(host)}")
        for key, value in shown.sysctls(host).items():
            print(f"# sysctl {key}={value}")
    print(f"# server.test is {' '.join(shown.plan.names)}; the server announces {shown.announced or 'its own address'}")
    return 0


def _run(args: argparse.Namespace) -> int:
    with Lab(args.topology) as lab:
        if args.server == "none":
            return _attached(lab, args.at, args.command)
        with served(lab, args.server, args.tls):
            return _attached(lab, args.at, args.command)


def _attached(lab: Lab, host: Host, command: list[str]) -> int:
    """Run a program on this terminal; ours come before those of the machine."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return subprocess.run(lab.command(host, command), env={**os.environ, "PATH": path}, check=False).returncode


def _matrix(args: argparse.Namespace) -> int:
    chosen = args.topologies
    if args.compose:
        seed = random.SystemRandom().randrange(2**32) if args.seed is None else args.seed
        print(f"composed from --seed {seed}")
        chosen = [compose(seed + number) for number in range(args.compose)]

    def tell(row: Row) -> None:
        print(report.line(row), *row.wrong, sep="\n    ✗ ", flush=True)

    rows = run(tasks(chosen, args.servers), side_by_side=args.side_by_side, tell=tell)
    print()
    for text in report.summary(report.figures(rows)):
        print(text)
    if args.write:
        _write(MATRIX_PAGE, report.page(rows))
    return int(any(row.wrong for row in rows))


def _write(page: Path, text: str) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text)


def _clients(args: argparse.Namespace) -> int:
    def tell(row: clients.Met) -> None:
        print(clients.line(row), flush=True)

    todo = [task for task in tasks(args.topologies, args.servers) if task.protection is not Protection.OFFERED]
    rows = clients.run(todo, side_by_side=4 * args.side_by_side, tell=tell)
    if args.write:
        _write(CLIENTS_PAGE, clients.page(rows))
    return 0


def main() -> int:
    """Do what the command line says; returns the exit code."""
    args = _parser().parse_args()
    match args.verb:
        case "list":
            return _list()
        case "down":
            for prefix in namespaces.sweep(everything=args.all):
                print(f"removed {prefix}")
            return 0
        case "show":
            return _show(args.topology)
    if reason := namespaces.unavailable():
        print(reason, file=sys.stderr)
        return 2
    if args.verb == "matrix":
        return _matrix(args)
    if args.verb == "clients":
        return _clients(args)
    return _run(args)


if __name__ == "__main__":
    sys.exit(main())
