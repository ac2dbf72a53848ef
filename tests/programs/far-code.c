/* 32- and 16-bit code in a 64-bit program: far calls into it and back, loops and calls over pages, code that changes
   itself, single steps, faults that a handler mends, calls by int 0x80. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <unistd.h>

#define CODE 0x20000000ul
#define STACK 0x10000000ul
#define SIZE 0x4000ul
#define CODE_16 ((0 << 3) | 7)
#define DATA_16 ((1 << 3) | 7)
#define CODE_32 ((2 << 3) | 7)

#define ROUTINE(name, bits, text) \
  extern const char name[], name##_end[]; \
  __asm__(".pushsection .rodata\n.code" #bits "\n" #name ":\n" text "\n" #name "_end:\n.code64\n.popsection")

/* EAX = fib(EDI). */
ROUTINE(fib, 32,
        "call 1f\n lret\n"
        "1: cmp $2, %edi\n jb 2f\n push %edi\n dec %edi\n call 1b\n pop %edi\n push %eax\n push %edi\n sub $2, %edi\n"
        "call 1b\n pop %edi\n pop %edx\n add %edx, %eax\n ret\n"
        "2: mov %edi, %eax\n ret");
/* EAX = a sum over EDI rounds. */
ROUTINE(mix, 32,
        "mov %edi, %ecx\n xor %eax, %eax\n mov $0x12345678, %edx\n"
        "1: rol $5, %edx\n add %ecx, %edx\n xor %edx, %eax\n adc $0, %eax\n daa\n test $1, %cl\n jz 2f\n inc %eax\n bswap %edx\n"
        "2: loop 1b\n lret");
/* Copies EDI bytes within the stack's page, forth and back. */
ROUTINE(copies, 32,
        "push %ds\n push %es\n push %ss\n pop %ds\n push %ss\n pop %es\n mov %edi, %ecx\n mov $0x10000100, %esi\n"
        "mov $0x10000800, %edi\n rep movsb\n std\n mov $0x100, %ecx\n lea -4(%edi), %edi\n mov $0x5a5a5a5a, %eax\n"
        "shr $2, %ecx\n rep stosl\n cld\n mov $0x10000700, %esi\n xor %edx, %edx\n mov $0x80, %ecx\n"
        "1: lodsl\n add %eax, %edx\n loop 1b\n mov %edx, %eax\n pop %es\n pop %ds\n lret");
/* The immediate of an instruction ahead counts up. */
ROUTINE(changes, 32,
        "push %ds\n push %ss\n pop %ds\n call 1f\n1: pop %esi\n mov %edi, %ecx\n xor %eax, %eax\n"
        "2: incl 3f-1b+1(%esi)\n nop\n3: mov $0, %edx\n add %edx, %eax\n loop 2b\n pop %ds\n lret");
/* TF for EDI rounds. */
ROUTINE(steps, 32,
        "mov %edi, %ecx\n pushf\n orl $0x100, (%esp)\n popf\n1: imul $3, %eax, %eax\n inc %eax\n loop 1b\n pushf\n"
        "andl $~0x100, (%esp)\n popf\n lret");
/* A page that is not there: the handler moves EIP behind it. */
ROUTINE(misses, 32,
        "push %ds\n push %ss\n pop %ds\n mov %edi, %eax\n mov 0x30000004, %ebx\n inc %eax\n pop %ds\n lret");
/* getpid */
ROUTINE(calls, 32, "push %ebx\n mov $20, %eax\n int $0x80\n pop %ebx\n lret");
/* In 16-bit segments: AX = a sum of words of the data, and the way back by a far jump of 32 bits. */
ROUTINE(words, 16,
        "pushw %bp\n movw %sp, %bp\n movw %di, %cx\n xorw %ax, %ax\n movw $0x100, %bx\n xorw %si, %si\n"
        "1: addw (%bx,%si), %ax\n rolw $1, %ax\n addw $2, %si\n callw 2f\n loopw 1b\n leavew\n lretl\n"
        "2: pushaw\n notw %ax\n popaw\n incw %ax\n retw");

static volatile unsigned long traps, rips, traps_cs;
static void report(int signal, siginfo_t *info, void *context) {
  greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
  if (signal == SIGTRAP) {
    traps++;
    rips = rips * 31 + regs[REG_RIP] - CODE;
    traps_cs = regs[REG_CSGSFS] & 0xffff;
    return;
  }
  printf("signal %d code %d at %#lx: rip %#llx cs %#llx trap %lld error %lld\n", signal, info->si_code,
         (unsigned long)info->si_addr, regs[REG_RIP], regs[REG_CSGSFS] & 0xffff, regs[REG_TRAPNO], regs[REG_ERR]);
  fflush(stdout);
  regs[REG_RIP] += 6;
}

static struct {
  unsigned offset;
  unsigned short selector;
} target;

static unsigned run(const char *from, const char *end, unsigned long at, int selector, unsigned offset, unsigned argument) {
  memcpy((void *)(CODE + at), from, end - from);
  target.offset = offset;
  target.selector = selector;
  unsigned result;
  unsigned long low = STACK + SIZE - 64;
  /* The stack is switched by hand: RSP must lie below 4 GiB. */
  __asm__ volatile(
      "mov %%rsp, %%r15\n mov %[low], %%rsp\n lcall *%[target]\n mov %%r15, %%rsp"
      : "=a"(result), "+D"(argument)
      : "0"(1), [low] "r"(low), [target] "m"(target)
      : "rbx", "rcx", "rdx", "rsi", "r15", "cc", "memory");
  return result;
}
#define RUN(name, at, argument) \
  printf(#name "(%d) at %#lx: %#x\n", argument, (unsigned long)(at), run(name, name##_end, at, 0x23, CODE + (at), argument))

static void segment(int entry, unsigned base, int contents, int big) {
  struct user_desc d = {.entry_number = entry, .base_addr = base, .limit = SIZE - 1, .contents = contents,
                        .seg_32bit = big, .useable = 1};
  if ((int)syscall(SYS_modify_ldt, 0x11, &d, sizeof d) != 0) puts("modify_ldt fails");
}

int main(void) {
  static char other[65536];
  stack_t stack = {.ss_sp = other, .ss_size = sizeof other};
  struct sigaction action = {.sa_sigaction = report, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaltstack(&stack, 0);
  sigaction(SIGTRAP, &action, 0);
  sigaction(SIGSEGV, &action, 0);
  mmap((void *)CODE, SIZE, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  mmap((void *)STACK, SIZE, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  segment(0, CODE, 2, 0);
  segment(1, STACK, 0, 0);
  segment(2, CODE + 0x123, 2, 1);
  for (unsigned i = 0; i < SIZE / 4; i++) ((unsigned *)STACK)[i] = i * 2654435761u;

  RUN(fib, 0, 17);
  RUN(fib, 0xfe8, 12);
  RUN(mix, 0xff0, 20000);
  RUN(mix, 0x1ffb, 777);
  RUN(copies, 0x40, 300);
  RUN(changes, 0x80, 100);
  RUN(changes, 0xfeb, 50);
  RUN(steps, 0xff9, 40);
  printf("%lu steps, of cs %#lx: %#lx\n", traps, traps_cs, rips);
  RUN(misses, 0x200, 41);
  printf("calls: %d\n", run(calls, calls_end, 0, 0x23, CODE, 0) == (unsigned)getpid());
  /* The same with a base: EIP counts from it. */
  printf("fib(13): %#x\n", run(fib, fib_end, 0x123 + 0x1000 - 0x130, CODE_32, 0x1000 - 0x130, 13));
  printf("misses(7): %#x\n", run(misses, misses_end, 0x123 + 0x40, CODE_32, 0x40, 7));

  /* 16-bit code wants its data and stack in 16-bit segments too. */
  memcpy((void *)CODE, words, words_end - words);
  target.offset = 0;
  target.selector = CODE_16;
  unsigned short sum;
  __asm__ volatile(
      "mov %%rsp, %%r15\n mov $0x10003f00, %%esp\n mov %%ss, %%r14d\n mov %[data], %%ss\n mov %[data], %%ds\n"
      "mov %%rbp, %%r13\n lcall *%[target]\n mov %%r13, %%rbp\n mov %%r14d, %%ss\n mov %%r15, %%rsp\n xor %%ecx, %%ecx\n mov %%ecx, %%ds"
      : "=a"(sum)
      : [data] "r"(DATA_16), [target] "m"(target), "D"(200)
      : "rbx", "rcx", "rdx", "rsi", "r13", "r14", "r15", "cc", "memory");
  printf("words(200): %#x\n", sum);
  return 0;
}
