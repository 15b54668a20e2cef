# SPDX-License-Identifier: GPL-2.0-only
"""What the guests are: machines like this one, or what ARCH= names, which is emulated.
scripts/common.sh has the same for the shell, and refuses what is neither."""

import os
import sys

BUILD = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "build")
ARCH = os.environ.get("ARCH") or "x86_64"
if ARCH not in ("x86_64", "arm64", "riscv64"):
    sys.exit(f"pidns: ARCH={ARCH}: it is x86_64, which is the default, arm64 or riscv64")
FOREIGN = ARCH != "x86_64"
# What a command for it needs more.
WORD = f" ARCH={ARCH}" if FOREIGN else ""

# What is made for it, and its Debian, where it cannot run this machine's.
MADE = os.path.join(BUILD, ARCH) if FOREIGN else BUILD
OBJECTS = os.path.join(MADE, "obj")
LOG = os.path.join(MADE, "log")
ROOT = os.path.join(MADE, "root") if FOREIGN else "/"

# Its name for QEMU, the kernel's image, and the device of the first serial line.
CPU, IMAGE, SERIAL = {
    "x86_64": ("x86_64", "arch/x86/boot/bzImage", "ttyS0"),
    "arm64": ("aarch64", "arch/arm64/boot/Image", "ttyAMA0"),
    "riscv64": ("riscv64", "arch/riscv/boot/Image", "ttyS0"),
}[ARCH]
QEMU = f"qemu-system-{CPU}"

# What QEMU emulates in place of what virtme-ng would choose: on arm64 a CPU with all that it
# knows.  The architecture's own algorithm to sign pointers would take most of the time.
BOARD, MAX = "virt,gic-version=3", "max,pauth-impdef=on"
INSTEAD = {"virt": BOARD, "cortex-a57": MAX} if ARCH == "arm64" else {}


def image(variant):
    """The kernel of a variant."""
    return os.path.join(OBJECTS, variant, IMAGE)
