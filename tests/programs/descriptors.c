/* What LAR, LSL, VERR and VERW tell of every selector but the 32-bit code segment's. */
#include <stdio.h>

static void widths(unsigned selector) {
  unsigned long a = 0x1111111111111111, b = a, c = a;
  __asm__ volatile("larw %w1, %w0" : "+r"(a) : "r"(selector) : "cc");
  __asm__ volatile("lar %w1, %k0" : "+r"(b) : "r"(selector) : "cc");
  __asm__ volatile("lslw %w1, %w0" : "+r"(c) : "r"(selector) : "cc");
  printf("%x: %lx %lx %lx\n", selector, a, b, c);
}

int main(void) {
  for (unsigned selector = 0; selector < 65536; selector++) {
    if ((selector & ~3u) == 0x20) continue;
    unsigned short memory = selector;
    unsigned long rights = 0x1111111111111111, limit = 0x2222222222222222;
    unsigned char lar, lsl, verr, verw;
    __asm__ volatile("lar %2, %1\n\tsetz %0" : "=q"(lar), "+r"(rights) : "m"(memory) : "cc");
    __asm__ volatile("lsl %2, %k1\n\tsetz %0" : "=q"(lsl), "+r"(limit) : "r"(selector) : "cc");
    __asm__ volatile("verr %1\n\tsetz %0" : "=q"(verr) : "m"(memory) : "cc");
    __asm__ volatile("verw %w1\n\tsetz %0" : "=q"(verw) : "r"(selector) : "cc");
    /* This one's limit is the number of the processor. */
    if ((selector & ~3u) == 0x78) limit = 0;
    if (lar || lsl || verr || verw)
      printf("%x: lar %d %lx lsl %d %lx verr %d verw %d\n", selector, lar, rights, lsl, limit, verr, verw);
    else if (rights != 0x1111111111111111 || limit != 0x2222222222222222)
      printf("%x: changed\n", selector);
  }
  widths(0x33);
  widths(0);
  return 0;
}
