#!/usr/bin/env bash
# Runs the demo; arguments are those of `longshore demo`.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
"$root/scripts/setup.sh"
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    # Without a session directory, as in containers, a layer of Mesa's that chooses between
    # GPUs complains about it on standard error. longshore chooses for itself.
    export NODEVICE_SELECT=1
fi
# Not from within the repository, so that files named in arguments are the caller's.
exec cargo run --release --locked --quiet --manifest-path "$root/Cargo.toml" -- demo "$@"
