#!/bin/sh
# Debian's rustc with the patched std; cargo calls this in its place.
exec /usr/bin/rustc --sysroot "$SECURING_TASKS_TOOLCHAIN/sysroot" "$@"
