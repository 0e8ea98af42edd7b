# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is broken on the hosts before, and what is looked at after."""

# Files of others that the role edits.
EDITED = (
    "/etc/ssh/sshd_config", "/etc/pam.d/sshd", "/etc/pam.d/login", "/etc/fstab", "/etc/hosts", "/etc/selinux/config",
    "/etc/nftables.conf", "/etc/chrony/chrony.conf",
)  # fmt: skip

# No limits for logins, by PAM nor by sshd; swap; SELinux; the host's name for loopback, as Debian's installer does it.
WORSE = r"""set -e
sed -i /pam_limits.so/d /etc/pam.d/sshd /etc/pam.d/login
sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config
systemctl reload ssh
sleep 1
printf 'UUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n' > /etc/fstab
mkdir -p /etc/selinux
printf 'SELINUX=enforcing\nSELINUXTYPE=targeted\n' > /etc/selinux/config
printf '127.0.0.1 localhost\n127.0.1.1 HOST.old HOST\n' > /etc/hosts
"""

CLOSED_FIREWALL = """\
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname lo accept
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport 22 accept
  }
}
"""


def sshd_pid(host) -> str:
    """The process of the SSH server itself, which a reload keeps and a restart does not."""
    return host.check_output("systemctl show ssh.service --property=MainPID --value")
