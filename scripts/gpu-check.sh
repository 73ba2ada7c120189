#!/usr/bin/env bash
# Runs all GPU tests and benches from prebuilt binaries and writes what they say.
#
#   scripts/gpu-check.sh --build DIR    build here, in release mode, and copy stripped binaries to DIR
#   scripts/gpu-check.sh DIR OUT        run what is in DIR, write OUT/*.json and OUT/*.log
#
# The second form needs no Rust, only a Vulkan (or Metal) driver, so that any machine
# with a GPU can run it. LONGSHORE_ADAPTER names the adapter, as in the tests.
set -euo pipefail

usage() {
    sed -n '4,5p' "$0" >&2
    exit 2
}

build() {
    local to=$1 list
    mkdir -p "$to"
    list=$(cargo build --workspace --release --locked --tests --benches --bins \
        --message-format=json-render-diagnostics)
    # Each line of the list that names an executable also names its target.
    while IFS=$'\t' read -r name path; do
        case $name in
            gpu | kernels | transfers | longshore)
                cp "$path" "$to/$name"
                strip "$to/$name"
                echo "built $to/$name"
                ;;
        esac
    done < <(printf '%s\n' "$list" | python3 -c '
import json, sys
for line in sys.stdin:
    item = json.loads(line)
    if item.get("reason") == "compiler-artifact" and item.get("executable"):
        kind, is_test = item["target"]["kind"][0], item["profile"]["test"]
        # Not the unit tests of the library and of the command, which share their names.
        if kind in ("test", "bench") or kind == "bin" and not is_test:
            print(item["target"]["name"], item["executable"], sep="\t")
')
}

run() {
    local from=$1 out=$2 failed=0
    mkdir -p "$out"
    local adapter=()
    [ -n "${LONGSHORE_ADAPTER:-}" ] && adapter=(--adapter "$LONGSHORE_ADAPTER")
    step() {
        local name=$1
        shift
        echo "== $name: $*"
        # A failed step must not hide what the later ones say.
        "$@" > "$out/$name.log" 2>&1 || { failed=1; echo "   FAILED, see $out/$name.log"; }
        tail -n 3 "$out/$name.log"
    }
    step adapters "$from/longshore" adapters
    # The tests read their golden numbers from the repository.
    CARGO_MANIFEST_DIR=$PWD step tests "$from/gpu" --test-threads 1
    step demo "$from/longshore" demo "${adapter[@]}" --ledger "$out/demo-ledger.json"
    step kernels "$from/kernels" "${adapter[@]}" --json "$out/kernels.json"
    step transfers "$from/transfers" "${adapter[@]}" --json "$out/transfers.json"
    exit "$failed"
}

case $# in
    2) if [ "$1" = --build ]; then build "$2"; else run "$1" "$2"; fi ;;
    *) usage ;;
esac
