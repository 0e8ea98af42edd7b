# Copyright: (c) 2026, the starrocks.cluster authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a front end as the transcripts did: by a mysql client and by curl. Answers have the transcripts' types."""

import re
import subprocess

import pymysql
import pymysql.constants.FIELD_TYPE as field_type
import pymysql.err
from pymysql.converters import encoders

from .transcript import Done, Empty, Error, Table

NUMERIC = {
    field_type.TINY, field_type.SHORT, field_type.INT24, field_type.LONG, field_type.LONGLONG,
    field_type.FLOAT, field_type.DOUBLE, field_type.DECIMAL, field_type.NEWDECIMAL,
}
NEW_PASSWORD = re.compile(r"(?:SET PASSWORD(?: FOR '(?P<other>\w+)')? = PASSWORD\('(?P<set>.*)'\)"
                          r"|CREATE USER '(?P<user>\w+)'@'%'(?: IDENTIFIED BY '(?P<first>.*)')?)$")
WRONG_PASSWORD = "not-the-password"


class Refusal(Exception):
    """An ERR packet: number, SQLSTATE, text. PyMySQL's own exceptions leave the SQLSTATE out."""


def _refuse(data):
    code = int.from_bytes(data[1:3], "little")
    state, text = ("HY000", data[3:]) if data[3:4] != b"#" else (data[4:9].decode(), data[9:])
    raise Refusal(code, state, text.decode("utf-8", "replace"))


pymysql.err.raise_mysql_exception = _refuse


def split(sql):
    """The statements of one call of the client; none of the recorded ones has a semicolon within quotes."""
    return [part.strip() for part in sql.split(";") if part.strip()]


class Client:
    """Knows the passwords of the users, as statements change them."""

    def __init__(self, host, port):
        self.host = host
        self.port = port
        self.passwords = {"root": ""}

    def password_for(self, statement):
        """The user's password; where the transcript shows a refusal, the wrong one or none that it was given."""
        first = statement.answers[0] if statement.answers else None
        if isinstance(first, Error) and first.code == 1045:
            return WRONG_PASSWORD if "using password: YES" in first.text else ""
        return self.passwords.get(statement.user, "")

    def ask(self, statement):
        """Run the statements of one call; returns their answers, up to the first error."""
        return self.run(statement.user, self.password_for(statement), split(statement.sql))

    def run(self, user, password, statements):
        """Run statements over one connection of their own."""
        if not statements:
            return []
        answers = []
        try:
            # No decoders: every value stays the text that the server sent.
            connection = pymysql.connect(host=self.host, port=self.port, user=user, password=password,
                                         charset="utf8mb4", conv=dict(encoders), autocommit=None,
                                         connect_timeout=10, read_timeout=60)
            with connection, connection.cursor() as cursor:
                for sql in statements:
                    affected = cursor.execute(sql)
                    answers.append(self._answer(cursor, affected))
                    self._learn(user, sql)
        except Refusal as refusal:
            answers.append(Error(*refusal.args))
        except pymysql.err.OperationalError as error:  # not an answer: the connection was lost
            answers.append(Error(error.args[0], "HY000", error.args[1]))
        return answers

    @staticmethod
    def _answer(cursor, affected):
        if cursor.description is None:
            return Done(affected)
        rows = [["NULL" if value is None else value.decode() if isinstance(value, bytes) else str(value)
                 for value in row] for row in cursor.fetchall()]
        if not rows:
            return Empty()
        return Table([column[0] for column in cursor.description], rows,
                     [column[1] in NUMERIC for column in cursor.description])

    def _learn(self, user, sql):
        match = NEW_PASSWORD.fullmatch(sql)
        if match and match["user"]:
            self.passwords[match["user"]] = match["first"] or ""
        elif match:
            self.passwords[match["other"] or user] = match["set"]


def curl(command):
    """Run a recorded curl command; returns (output, exit status)."""
    result = subprocess.run(["bash", "-c", command.replace("curl ", "curl --silent --max-time 20 ", 1)],
                            capture_output=True, text=True, check=False)
    return result.stdout.replace("\r\n", "\n"), result.returncode
