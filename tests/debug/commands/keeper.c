/*
 * What the debugger's tests are led through: calls and a loop, a page that is keyed and sealed, a refusal, a signal, a
 * child, and a read that its key forbids. It needs no libc, so that keeper.elf, made of it by keeper.sh, is small.
 */
typedef unsigned long word;

struct action {
  void (*handler)(int);
  word flags;
  void (*restorer)(void);
  word mask;
};

volatile int counter;
volatile char *page;
static const char greeting[] = "hello\n";

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

static void set_pkru(unsigned value) {
  asm volatile("wrpkru" : : "a"(value), "c"(0), "d"(0) : "memory");
}

int square(int n) {
  int result = n * n;
  return result;
}

int sum(int n) {
  int total = 0;
  for (int i = 1; i <= n; i++)
    total += square(i);
  return total;
}

void restorer(void);
asm("restorer: mov $15, %eax\n syscall");

void handle(int signal) {
  counter += signal;
}

void last(int signal) {
  call(231, signal, 0, 0, 0, 0, 0);
}

void keep(void) {
  page = (volatile char *)call(9, 0, 8192, 3, 0x22, -1, 0);
  page[0] = 'k';
  long key = call(330, 0, 0, 0, 0, 0, 0);
  call(329, (long)page, 8192, 1, key, 0, 0);
  call(462, (long)page, 8192, 0, 0, 0, 0);
}

int main(void) {
  counter = sum(4);
  keep();
  if (call(11, (long)page, 4096, 0, 0, 0, 0) == -1)
    counter++;
  call(1, 1, (long)greeting, sizeof greeting - 1, 0, 0, 0);
  struct action action = {handle, 0x04000000, restorer, 0};
  call(13, 10, (long)&action, 0, 8, 0, 0);
  call(62, call(39, 0, 0, 0, 0, 0, 0), 10, 0, 0, 0, 0);
  action.handler = last;
  call(13, 11, (long)&action, 0, 8, 0, 0);
  long child = call(57, 0, 0, 0, 0, 0, 0);
  if (child == 0)
    call(60, 7, 0, 0, 0, 0, 0);
  call(61, child, 0, 0, 0, 0, 0);
  set_pkru(0x55555554);
  return page[0];
}

asm(".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    ".cfi_startproc\n"
    ".cfi_undefined rip\n"
    " and $-16, %rsp\n"
    " call main\n"
    " mov %eax, %edi\n"
    " mov $231, %eax\n"
    " syscall\n"
    ".cfi_endproc\n"
    ".size _start, . - _start");
