#!/usr/bin/env bash
# Fills a file system in memory, and checks that the command keeps the old files: scripts/full-disk.sh LONGSHORE
#
# It is mounted in a namespace of the script's own, which needs no root; where the system does not let
# it, a line says so.
set -euo pipefail
longshore="$(realpath "${1:?usage: scripts/full-disk.sh LONGSHORE}")"
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ "${2:-}" != mounted ]; then
    if ! unshare --user --map-root-user --mount true 2> /dev/null; then
        echo "SKIPPED: this system lets nobody mount a file system of one's own (unshare)"
        exit 0
    fi
    # The folder is removed out here, where nothing is mounted on it.
    folder="$(mktemp -d)"
    trap 'rm -rf "$folder"' EXIT
    unshare --user --map-root-user --mount "$0" "$longshore" mounted "$folder"
    exit
fi

folder="$3"
networks="$PWD/tests/fixtures/onnx/networks"
mount -t tmpfs -o size=128k longshore "$folder"
mkdir "$folder/out"
"$longshore" convert "$networks/espcn_reshaped/model.onnx" --output "$folder/net.json" > /dev/null
run=("$longshore" run "$folder/net.json" --adapter host --input "image_0=$networks/espcn_reshaped/in.0.npy"
    --output "$folder/out" --ledger "$folder/out/ledger.json")
"${run[@]}" > /dev/null

files() {
    find "$folder" -type f ! -name filler -exec sha256sum {} + | sort
}

refused() {
    local message
    if message="$("$@" 2>&1 > /dev/null)"; then
        echo "full-disk: it fits, or the failure was not noticed: $*" >&2
        exit 1
    fi
    echo "$message"
}

before="$(files)"
for pages in 0 1 2; do
    # Everything but some pages of 4 KiB.
    head -c 1M /dev/zero > "$folder/filler" 2> /dev/null || true
    truncate -s "-$((pages * 4096))" "$folder/filler"
    echo "$((pages * 4)) KiB left of 128:"
    refused "$longshore" convert "$networks/convnext/model.onnx" --output "$folder/net.json"
    refused "${run[@]}"
    if [ "$(files)" != "$before" ]; then
        echo "full-disk: other files than before" >&2
        diff <(echo "$before") <(files) >&2
        exit 1
    fi
done
rm "$folder/filler"
"${run[@]}" > /dev/null
echo "Every file is as it was, and the saved graph runs."
