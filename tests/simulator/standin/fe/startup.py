# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the start of a front end is: a new cluster, a return, or a join (the decision table of section 4.3)."""

import os
import re
import shutil
import socket
import time
import urllib.parse
import urllib.request

from standin import net
from standin.fe import state as model

_HELPER_PAUSE = 5        # seconds between two rounds of asking the helpers
_LEAST_SPACE = 5 * 1024 ** 3


_NOT_ADDED = "current node is not added to the cluster, will exit"


class StartError(Exception):
    """The front end does not start; the process ends with 255 and this text in fe.log."""


class Identity:
    """Who this front end is: name (``host_port_time``), host, edit_log_port, FOLLOWER or OBSERVER, IP or FQDN.

    cluster: (cluster id, token) when it joins by a helper; state: the state of a new cluster; both else None.
    """

    def __init__(self, name, host, port, role, host_type, cluster=None, state=None):
        self.name = name
        self.host = host
        self.port = port
        self.role = role
        self.host_type = host_type
        self.cluster = cluster
        self.state = state


def parse_helpers(text):
    """``"h:9010,h2:9010"`` -> ``[("h", 9010), ...]``; an empty text is no helper."""
    helpers = []
    for part in text.split(",") if text else ():
        match = re.fullmatch(r"\s*(?:\[(.+)\]|([^:\s]+)):(\d+)\s*", part)
        if not match:
            raise StartError(f"helper's format seems was wrong [{text}], eg. host:port,host:port")
        helpers.append((match.group(1) or match.group(2), int(match.group(3))))
    return helpers


def own_host(config, host_type, warn):
    """The host under which this front end is known: its full name or its address."""
    if host_type == "FQDN":
        name = socket.getfqdn()
        if not net.is_local(name, None) or net.is_ip(name):
            raise StartError(f"local hostname {name} does not resolve to an address of this host, will exit")
        return name
    return net.choose(config.text("priority_networks"), net.local_addresses(), warn,
                      config.flag("net_use_ipv6_when_priority_networks_empty"))


def check_meta_dir(config, version):
    """Refuse a metadata folder that is missing, doubtful or too full."""
    folder = config.meta_dir
    default = os.path.join(config.home, "meta")
    old = os.path.join(config.home, "doris-meta")
    if os.path.isdir(default) and os.path.isdir(old):
        raise StartError(f"both {default} and {old} exist, please remove one of them")
    if not os.path.isdir(folder):
        raise StartError(f"meta dir {folder} {'does' if folder == default else 'dose'} not exist")
    if version >= "3.0" and shutil.disk_usage(folder).free < _LEAST_SPACE:
        raise StartError(f"Free capacity left for meta dir: {folder} is less than 5GB")


def decide(config, version, metadata, helper_text, host_type, log):
    """Who this front end is. Waits for as long as no helper knows it. Raises StartError."""
    check_meta_dir(config, version)
    metadata.create()
    helpers = parse_helpers(helper_text)
    role, stored = metadata.read("ROLE"), metadata.read("VERSION")
    if (role is None) != (stored is None):
        raise StartError("role file and version file must both exist or both not exist. please specific one helper "
                         "node to recover. will exit.")
    host_type = host_type or (role or {}).get("hostType") or "IP"
    host = own_host(config, host_type, lambda text: log.warn("FrontendOptions.initAddrUseIp():1", text))
    port = config.integer("edit_log_port")
    if role:
        if helpers:
            shown = ",".join(f"{name}:{number}" for name, number in helpers)
            log.info("NodeMgr.getClusterIdAndRoleOnStartup():1",
                     f"find ROLE and VERSION file in local, ignore helper nodes: {shown}")
        return _return(config, metadata, role, stored, host, port, host_type)
    if helpers:
        if any(number == port and net.is_local(name, host) and _resolves_to(name, host) for name, number in helpers):
            raise StartError("Do not specify the helper node to FE itself. Please specify it to the existing running "
                             "Leader or Follower FE")
        return _join(config, metadata, helpers, host, port, host_type, log)
    return _found(config, version, metadata, host, port, host_type)


def _resolves_to(name, host):
    try:
        return name == host or net.resolve(name) == net.resolve(host)
    except net.Unresolvable:
        return False


def _found(config, version, metadata, host, port, host_type):
    """No helper and no metadata: a new cluster of this one front end."""
    state = model.new_cluster(version, config.text("run_mode") or "shared_nothing", config.text("auth_token"))
    name = f"{host}_{port}_{model.now_ms()}"
    frontend = model.new_frontend(model.frontend_id(state, version), name, host, port, "FOLLOWER")
    frontend["joined"] = True
    state["frontends"].append(frontend)
    _write_files(metadata, state["cluster_id"], state["token"], state["run_mode"], "FOLLOWER", name, host_type)
    return Identity(name, host, port, "FOLLOWER", host_type, state=state)


def _write_files(metadata, cluster_id, token, run_mode, role, name, host_type):
    metadata.write("VERSION", {"clusterId": cluster_id, "token": token, "runMode": run_mode})
    metadata.write("ROLE", {"role": role, "name": name, "hostType": host_type})


def _return(config, metadata, role, stored, host, port, host_type):
    """The metadata is there: the same member comes back, whatever --helper says."""
    configured = config.text("run_mode") or "shared_nothing"
    if stored.get("runMode", configured) != configured:
        raise StartError(f"Unmatched run mode between config file and version file: {configured} {stored['runMode']}")
    entry = metadata.load_journal()
    if entry is None and metadata.newest_image()[0]:
        raise StartError("image exists, but bdb dir is empty, set start_with_incomplete_meta to true if you want to "
                         "forcefully recover from image data, this may end with stale meta data, so please be careful.")
    state = entry and entry["state"]
    if state:
        row = model.frontend_named(state, role["name"])
        if row is None:
            raise StartError(_NOT_ADDED)
        if row["role"] != role["role"]:
            raise StartError(f"current node role is {role['role']} not match with frontend recorded role "
                             f"{row['role']}. will exit")
        if config.flag("bdbje_reset_election_group"):
            state["frontends"] = [dict(row, joined=True)]
            metadata.save_journal(entry)
    cluster = None if state else (int(stored["clusterId"]), stored["token"])
    return Identity(role["name"], host, port, role["role"], host_type, cluster=cluster)


def check_member(state, identity):
    """Once the newest metadata is there: is this front end in it, under the host and port that it has now?

    The host may have been changed while it was down (MODIFY FRONTEND HOST), so its own old metadata does not decide.
    """
    if not any((row["host"], row["edit_log_port"]) == (identity.host, identity.port) for row in state["frontends"]):
        raise StartError(_NOT_ADDED)


def _get(host, port, path):
    """A GET on another front end; None if it does not answer or refuses."""
    try:
        with urllib.request.urlopen(f"http://{net.in_url(host)}:{port}{path}", timeout=5) as answer:
            return answer.headers, answer.read().decode()
    except OSError:
        return None


def _join(config, metadata, helpers, host, port, host_type, log):
    """Ask the helpers until one knows this front end, then take VERSION and image from it.

    The helpers are asked on this front end's own http_port: all of a cluster must have the same.
    """
    http_port = config.text("http_port")
    query = urllib.parse.urlencode({"host": host, "port": port})
    while True:
        for helper, _ in helpers:
            answer = _get(helper, http_port, f"/role?{query}")
            role = answer[0].get("role", "UNKNOWN") if answer else "UNKNOWN"
            if role != "UNKNOWN":
                return _join_at(config, metadata, helper, role, answer[0]["name"], host, port, host_type)
        shown = [f"{name}:{number}" for name, number in helpers]
        log.warn("NodeMgr.getFeNodeTypeAndNameFromHelpers():1",
                 "current node is not added to the group. please add it first. sleep 5 seconds and retry, current "
                 f"helper nodes: {shown}")
        time.sleep(_HELPER_PAUSE * config.time_scale)


def _join_at(config, metadata, helper, role, name, host, port, host_type):
    http_port = config.text("http_port")
    version, info = _get(helper, http_port, "/version"), _get(helper, http_port, "/info")
    if not version or not info:
        raise StartError(f"failed to get VERSION from helper node {helper}. will exit.")
    values = dict(line.split("=", 1) for line in version[1].splitlines() if "=" in line)
    preset = config.text("auth_token")
    if preset and preset != values["token"]:
        raise StartError(f"token is not equal with helper node {helper}. will exit.")
    configured = config.text("run_mode") or "shared_nothing"
    if values["runMode"] != configured:
        raise StartError(f"Unmatched run mode with helper node {helper}: {configured} {values['runMode']}, will exit .")
    number = int(re.search(r'"imageJournalId":(\d+)', info[1]).group(1))
    image = _get(helper, http_port, f"/image?version={number}") if number else None
    if image:
        metadata.write_image(number, image[1])
    _write_files(metadata, values["clusterId"], values["token"], values["runMode"], role, name, host_type)
    return Identity(name, host, port, role, host_type, cluster=(int(values["clusterId"]), values["token"]))
