#!/bin/sh
# Makes keeper.elf, which the tests use where there is no compiler. gcc 12.2 of Debian 12 made the one that is here.
cd "$(dirname "$0")" || exit 1
gcc -g -gdwarf-5 -O0 -fno-pie -no-pie -static -nostdlib -fno-stack-protector -fcf-protection=none \
  -fasynchronous-unwind-tables -fdebug-prefix-map="$PWD"=/keeper -Wl,--build-id=none -Wl,-z,norelro \
  -o keeper.elf keeper.c
