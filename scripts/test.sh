#!/usr/bin/env bash
# Runs all tests: unit, CPU, GPU, command and documentation. Those that need an adapter
# fail without one. Arguments go to `cargo test`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    # As in scripts/demo.sh: without a session directory a layer of Mesa's complains.
    export NODEVICE_SELECT=1
fi
exec cargo test --workspace --locked "$@"
