# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


class ModuleDocFragment(object):

    # What modules and plugins that speak SQL have in common.
    DOCUMENTATION = r"""
requirements:
  - PyMySQL 0.9.3 or later on the host that runs the module (C(python3-pymysql) in Debian and Ubuntu), for a plugin on
    the controller, for the Python that runs Ansible
notes:
  - Modules are run on one host only (C(run_once)), one that reaches the front ends' C(query_port).
  - A statement that fails because the leader is just changing is tried again for up to a minute. Where it is not known
    whether it was done, the listing is read again first.
options:
  login_hosts:
    description:
      - Front ends to ask, each as C(host) or C(host:port), IPv6 addresses as C([address]:port).
      - They are tried in turn until one answers. Statements reach the leader whichever one that is; where StarRocks
        does not forward by itself, the module goes on with the leader.
      - Needed unless O(config_file) names a host.
    type: list
    elements: str
  login_port:
    description:
      - The front ends' C(query_port), where O(login_hosts) does not say another.
      - V(9030) where neither this option nor O(config_file) says otherwise.
    type: int
  login_user:
    description:
      - The account to log in with. V(root) where neither this option nor O(config_file) says otherwise.
      - Without being C(root) it needs the role C(cluster_admin), for some listings the privilege C(OPERATE), and for
        blacklists C(BLACKLIST), all by default roles.
    type: str
  login_password:
    description: The password of O(login_user). Empty where neither this option nor O(config_file) says otherwise.
    type: str
  config_file:
    description:
      - Path of a MySQL option file on the host that runs the module or plugin, for what the options here do not say.
      - From its group C([client]) are taken C(host), C(port), C(user), C(password), C(ssl-ca), C(ssl-cert), C(ssl-key),
        C(ssl-mode) and C(ssl-verify-server-cert). C(!include) is not followed.
    type: path
  check_implicit_admin:
    description:
      - If C(root) is refused with O(login_password), try the empty password, which is that of a new cluster.
    type: bool
    default: false
  connect_timeout:
    description: Seconds to wait for a front end to take the connection, and as many again for the login.
    type: int
    default: 5
  read_timeout:
    description:
      - Seconds to wait for the complete answer to a statement.
      - Where a module waits until something has come about, answers have no more time than that wait, but at least
        O(connect_timeout).
    type: int
    default: 60
  ca_cert:
    description:
      - Path of the certificate authority's certificate, on the host that runs the module or plugin. Switches TLS on; a
        front end without TLS is then refused before the password is sent.
    type: path
  client_cert:
    description: Path of a client certificate, which may hold the private key as well.
    type: path
  client_key:
    description: Path of the client certificate's private key, without a passphrase.
    type: path
  check_hostname:
    description:
      - Whether the front end's certificate must be for the name that was asked; with O(ca_cert), V(true) unless given.
      - V(false) alone means TLS without any check.
    type: bool
"""

    # How waiting is asked for.
    WAIT = r"""
options:
  wait:
    description: Wait until the cluster shows what was asked for.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait at most. When they are over the module fails and tells for each node what StarRocks last said.
    type: int
    default: 300
"""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    description: Can run in check mode and tell what it would do without doing it.
    support: full
  diff_mode:
    description: Tells in diff mode what has changed, or would.
    support: full
"""

    # For modules that only look.
    ATTRIBUTES_READ_ONLY = r"""
attributes:
  check_mode:
    description: Can run in check mode; it changes nothing anyway.
    support: full
  diff_mode:
    description: Tells in diff mode what has changed, or would.
    support: none
"""
