#!/usr/bin/env bash
# Soaks the library: scripts/soak.sh [SECONDS [ADAPTER...]]
#
# Runs, threads, awaited and dropped reads, refused calls, damaged files and lost devices, drawn at
# random for so many seconds (60) on each adapter (host, and the first that there is). Fails when a result
# is wrong, nothing ends for a minute, or memory grows. LONGSHORE_SEED=N draws other rounds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds="${1:-60}"
shift || true
adapters=("$@")
if [ -z "${XDG_RUNTIME_DIR:-}" ]; then
    # As in scripts/demo.sh: keeps a complaint of Mesa's out of the output.
    export NODEVICE_SELECT=1
fi
if [ "${#adapters[@]}" -eq 0 ]; then
    scripts/setup.sh
    # Names are at the beginning of lines; the host is not an adapter.
    names="$(cargo run --release --locked --quiet -- adapters)"
    adapters=(host "$(grep -v -e '^ ' -e '^host (' <<< "$names" | head -n 1 | sed 's/  <- --adapter auto$//')")
fi
for adapter in "${adapters[@]}"; do
    cargo run --release --locked --quiet --package longshore-testing --bin soak -- "$seconds" "$adapter"
done
