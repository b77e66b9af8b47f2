#!/bin/sh
# Checks the Dockerfiles by hadolint, brought from PyPI by hash. Usage: hadolint.sh <Dockerfile>...
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tools=${RUNNER_TEMP:-/tmp}/tagalong-hadolint

python3 -m venv "$tools" || {
  printf '%s\n' "::error::hadolint needs Python 3 with venv on the runner; or set tagalong:workflows.check.hadolint to false"
  exit 1
}
"$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$here/hadolint.txt"
# Advice alone fails nothing, unless the repository's own settings say so.
for settings in .hadolint.yaml .hadolint.yml; do
  [ ! -f "$settings" ] || exec "$tools/bin/hadolint" "$@"
done
exec "$tools/bin/hadolint" --failure-threshold warning "$@"
