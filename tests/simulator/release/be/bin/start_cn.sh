#!/usr/bin/env bash

curdir=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2068 # the arguments are split again at blanks
exec "$curdir/start_backend.sh" --cn $@
