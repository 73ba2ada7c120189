#!/usr/bin/env bash
# Makes sure that longshore can be built and run here: Rust, a linker, and on Linux the
# Vulkan loader with at least one driver. Installs what is missing on Debian and Ubuntu,
# says what to install elsewhere. Does nothing, and asks for nothing, where all is there.
set -euo pipefail

say() { printf 'setup: %s\n' "$*" >&2; }

has_vulkan_loader() {
    # ldconfig lies outside of a user's PATH on Debian.
    case "$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null)" in
        *libvulkan.so.1*) return 0 ;;
        *) return 1 ;;
    esac
}

# A driver is announced to the loader by a file; where it is named by hand, that is trusted.
has_vulkan_driver() {
    if [ -n "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]; then
        return 0
    fi
    local data="${XDG_DATA_HOME:-${HOME:-/nonexistent}/.local/share}" file
    for file in /etc/vulkan/icd.d/*.json /usr/share/vulkan/icd.d/*.json \
        /usr/local/share/vulkan/icd.d/*.json /usr/local/etc/vulkan/icd.d/*.json \
        "$data"/vulkan/icd.d/*.json; do
        if [ -e "$file" ]; then
            return 0
        fi
    done
    return 1
}

apt_install() {
    local run=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            say "not root and no sudo: ask an administrator to run"
            say "  apt-get update && apt-get install --no-install-recommends $*"
            exit 1
        fi
        run=(sudo)
    fi
    say "installing with apt-get: $*"
    "${run[@]}" apt-get update -q
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "$@"
}

setup_linux() {
    local packages=() missing=()
    if ! command -v cc >/dev/null; then
        missing+=("a C linker (cc), which Rust needs")
        packages+=(gcc libc6-dev)
    fi
    if ! has_vulkan_loader; then
        missing+=("the Vulkan loader (libvulkan.so.1)")
        packages+=(libvulkan1)
    fi
    if ! has_vulkan_driver; then
        missing+=("a Vulkan driver")
        # Drivers for common GPUs, and lavapipe, which needs none.
        packages+=(mesa-vulkan-drivers)
    fi
    if [ "${#missing[@]}" -eq 0 ]; then
        return
    fi
    local part
    for part in "${missing[@]}"; do
        say "missing: $part"
    done
    if command -v apt-get >/dev/null; then
        apt_install "${packages[@]}"
        return
    fi
    say "this script installs on Debian and Ubuntu only; elsewhere, for instance:"
    say "  Fedora:  dnf install gcc vulkan-loader mesa-vulkan-drivers"
    say "  Arch:    pacman -S gcc vulkan-icd-loader vulkan-swrast (or the GPU's own driver)"
    say "  Alpine:  apk add build-base vulkan-loader mesa-vulkan-swrast"
    exit 1
}

if ! command -v cargo >/dev/null; then
    say "cargo is not in PATH: install Rust from https://rustup.rs, then open a new shell"
    exit 1
fi
case "$(uname -s)" in
    Linux) setup_linux ;;
    Darwin)
        # Metal is part of the system.
        if ! command -v cc >/dev/null; then
            say "missing: a C linker; run: xcode-select --install"
            exit 1
        fi
        ;;
    MINGW* | MSYS* | CYGWIN*)
        # Direct3D 12 and a software adapter (WARP) are part of Windows, and rustup asks
        # for the linker when it installs.
        ;;
    *)
        say "unknown system $(uname -s): install a C linker, the Vulkan loader and a driver"
        exit 1
        ;;
esac
