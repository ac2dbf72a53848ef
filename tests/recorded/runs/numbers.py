"""What the record python.record runs: reads a line, draws random numbers, counts, sorts, and asks for the time."""
import _random
import os
import sys
import time

limit = int(sys.stdin.readline())

sieve = bytearray([1]) * limit
for i in range(2, int(limit**0.5) + 1):
    if sieve[i]:
        sieve[i * i :: i] = bytes(len(range(i * i, limit, i)))
primes = [i for i in range(2, limit) if sieve[i]]

draw = _random.Random(int.from_bytes(os.urandom(8), "little")).random
drawn = sorted(int(draw() * limit) for _ in range(2000))
digits = {}
for number in drawn:
    digits[number % 10] = digits.get(number % 10, 0) + 1

print("primes:", len(primes), "the last:", primes[-1])
print("drawn:", drawn[::400], "by last digit:", digits)
print(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()), file=sys.stderr)
sys.exit(7)
