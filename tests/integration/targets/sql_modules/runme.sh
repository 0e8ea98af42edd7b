#!/usr/bin/env bash
# The SQL modules against live clusters, by pytest, with the ansible-core and the Python that ansible-test runs with.
#   runme.sh [ARGUMENT...]     arguments go to pytest
set -euo pipefail
collections=${ANSIBLE_COLLECTIONS_PATH%%:*}
export PYTHONPATH="$PYTHONPATH:$collections"
cd "$collections/ansible_collections/starrocks/cluster"
exec python -m pytest -q -n 2 --dist loadfile tests/integration/sql "$@"
