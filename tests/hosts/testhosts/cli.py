# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the test hosts."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from . import image, recipe
from .commands import HostsError, say
from .machine import Machine, setup
from .sets import HostSet

SETS_DIRECTORY = Path(__file__).resolve().parents[3] / "build" / "hosts"


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(prog="hosts", description="Test hosts: Debian with systemd, reached over SSH.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, *arguments: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        for argument in arguments:
            if argument == "hosts":
                made.add_argument("hosts", nargs="*", metavar="NAME", help="hosts of the set (default: all)")
            else:
                made.add_argument(argument, metavar=argument.upper())
        return made

    command("setup", "Install the programs this tool needs.")
    made = command("image", "Make the hosts' image if the cache has none.")
    made.add_argument("--release", choices=recipe.RELEASES, default=recipe.RELEASES[0])
    made = command("up", "Have these hosts in a set, and the whole set running.", "set", "hosts")
    made.add_argument("--release", choices=recipe.RELEASES, default=recipe.RELEASES[0], help="Debian for new hosts")
    made.add_argument("--account", default="", help="make this account (uid 1500, lingering, no sudo) and use it")
    made.add_argument("--cpus", default="", help="processors for each new host, for instance 0.5")
    made.add_argument("--memory", default="", help="memory for each new host, for instance 2g")
    made = command("down", "Remove a set, or all sets of this machine.")
    made.add_argument("set", nargs="?", metavar="SET")
    made.add_argument("--all", action="store_true", help="also sets of other checkouts")
    command("list", "Show all sets of this machine.")
    made = command("exec", "Run a command on a host as root, without SSH.", "set", "host")
    made.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD...")
    command("reboot", "Shut hosts down and start them, all at once.", "set", "hosts")
    command("stop", "Shut hosts down, all at once.", "set", "hosts")
    command("kill", "Cut the power of hosts.", "set", "hosts")
    command("start", "Start hosts that do not run.", "set", "hosts")
    made = command("podman", "Run the hosts' podman, for a look inside. Never call podman on the cache without this.")
    made.add_argument("words", nargs=argparse.REMAINDER, metavar="ARGUMENTS")
    return top


def all_sets(machine: Machine) -> list[HostSet]:
    """Every set of this machine, whatever checkout made it."""
    return [HostSet.at(machine, folder) for folder in machine.set_folders()]


def down(machine: Machine, name: str | None, everything: bool) -> None:
    """Remove one set, or all. No error when there is nothing to remove."""
    if bool(name) == everything:
        raise HostsError("say which: hosts down SET, or hosts down --all")
    for hosts in all_sets(machine) if everything else [HostSet(machine, name, SETS_DIRECTORY / name)]:
        if hosts.exists():
            hosts.down()
            say(f"set {hosts.name} removed")
    with machine.lock():
        machine.close_if_unused()


def list_sets(machine: Machine) -> None:
    """Print one line per host: set, host, address, release, state, and the set's folder."""
    rows = [("SET", "HOST", "ADDRESS", "RELEASE", "STATE", "FILES")]
    for hosts in all_sets(machine):
        plan, states = hosts.plan(), hosts.states()
        rows += [(plan.name, name, host.address, host.release, states[name], plan.directory)
                 for name, host in plan.hosts.items()]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def perform(options: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    installed = setup()
    machine = Machine()
    machine.cache.mkdir(parents=True, exist_ok=True)
    if options.command == "setup":
        say("nothing to install" if not installed else "done")
    elif options.command == "image":
        print(image.ensure(machine, options.release))
    elif options.command == "down":
        down(machine, options.set, options.all)
    elif options.command == "list":
        list_sets(machine)
    elif options.command == "podman":
        if not machine.is_open():
            raise HostsError("no host has been started since this machine booted. Start one: hosts up SET NAME")
        line = machine.podman_command(*options.words)
        os.execvp(line[0], line)
    else:
        hosts = HostSet(machine, options.set, SETS_DIRECTORY / options.set)
        if options.command == "up":
            hosts.up(options.hosts, release=options.release, account=options.account, cpus=options.cpus,
                     memory=options.memory)  # fmt: skip
            say(f"inventory: {hosts.directory}/hosts.yml")
            say(f"look around: ssh -F {hosts.directory}/ssh_config NAME")
        elif options.command == "exec":
            words = options.words[1:] if options.words[:1] == ["--"] else options.words
            if not words:
                raise HostsError("say what to run: hosts exec SET NAME -- CMD...")
            terminal = sys.stdin.isatty() and sys.stdout.isatty()
            line = hosts.exec_command(options.host, words, terminal)
            os.execvp(line[0], line)
        else:
            getattr(hosts, options.command)(options.hosts)


def main(arguments: Sequence[str]) -> int:
    """Run one command. Returns the exit status: 0 done, 1 it could not be done, 2 wrong usage."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what is begun is cleaned up
    try:
        perform(options)
    except HostsError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0
