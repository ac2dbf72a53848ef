/* 32-bit code in a 64-bit program: calls by int 0x80, signals and their frames, faults, forks, ptrace. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

unsigned long saved_rsp;
unsigned low_stack;
unsigned results[16];
unsigned argument;

/* to32(f): executes 32-bit code at f on the low stack; the code ends with a jump to back32. */
__asm__(
    ".pushsection .text\n"
    "to32:\n\tpush %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n"
    "\tmov %rsp, saved_rsp\n\tmov low_stack, %esp\n"
    "\tmov $0x1234567812345678, %r12\n\tmov $0x8765432187654321, %r15\n"
    "\tpushq $0x23\n\tpushq %rdi\n\tlretq\n"
    ".code32\n"
    "back32:\n\tljmp $0x33, $back64\n"
    ".code64\n"
    "back64:\n\tmov saved_rsp, %rsp\n\tmov %r12, %rax\n\txor %r15, %rax\n"
    "\tpop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\tret\n"
    ".code32\n"
    "calls32:\n\tmov $20, %eax\n\tint $0x80\n\tmov %eax, results\n"
    "\tmov $192, %eax\n\txor %ebx, %ebx\n\tmov $4096, %ecx\n\tmov $3, %edx\n\tmov $0x22, %esi\n\tmov $-1, %edi\n"
    "\txor %ebp, %ebp\n\tint $0x80\n\tmov %eax, results+4\n\tmovl $5, (%eax)\n"
    "\tmov $91, %eax\n\tmov results+4, %ebx\n\tmov $4096, %ecx\n\tint $0x80\n\tmov %eax, results+8\n"
    "\tmov $9999, %eax\n\tint $0x80\n\tmov %eax, results+12\n"
    "\tmov %esp, results+16\n\tmov %cs, results+20\n\tmov %ss, results+24\n\tjmp back32\n"
    "kill32:\n\tmov $37, %eax\n\tmov results, %ebx\n\tmov $10, %ecx\n\tint $0x80\n\tmov %eax, results+8\n"
    "\tmov %esp, results+12\n\tmov %cs, results+16\n\tjmp back32\n"
    "fork32:\n\tmov $2, %eax\n\tint $0x80\n\ttest %eax, %eax\n\tjnz 1f\n"
    "\tmov %cs, %ebx\n\tmov $1, %eax\n\tint $0x80\n"
    "1:\tmov %eax, results\n\tjmp back32\n"
    "pause32:\n\tmov $162, %eax\n\tmov argument, %ebx\n\txor %ecx, %ecx\n\tint $0x80\n\tmov %eax, results\n\tjmp back32\n"
    "loop32:\n\tmov argument, %ecx\n1:\tincl results\n\tloop 1b\n\tmov %cs, results+4\n\tjmp back32\n"
    "steps32:\n\tmov $77, %eax\n\tint3\n\tnop\n\tinc %eax\n\tpush %eax\n\tpop %ebx\n\tjmp back32\n"
    /* Faults: each one instruction, at a symbol of its own, then on. */
    "null32:\n\tmov 8, %eax\n\tnop\nnull32_end:\tjmp back32\n"
    "write32:\n\tmovl $1, 0xfffffffc\n\tnop\nwrite32_end:\tjmp back32\n"
    "ud32:\n\tud2\nud32_end:\tjmp back32\n"
    "divide32:\n\txor %ecx, %ecx\n\tdiv %ecx\ndivide32_end:\tjmp back32\n"
    "into32:\n\tmov $0x7fffffff, %eax\n\tadd $1, %eax\n\tinto\ninto32_end:\tjmp back32\n"
    "bound32:\n\tmov $50, %eax\n\tbound %eax, results\nbound32_end:\tjmp back32\n"
    "hlt32:\n\thlt\nhlt32_end:\tjmp back32\n"
    "int81:\n\tint $0x81\nint81_end:\tjmp back32\n"
    "int3_32:\n\tint3\nint3_32_end:\tjmp back32\n"
    "syscall32:\n\tsyscall\nsyscall32_end:\tjmp back32\n"
    "badds32:\n\tmov $0x10, %eax\n\tmov %eax, %ds\nbadds32_end:\tjmp back32\n"
    "nullds32:\n\txor %eax, %eax\n\tmov %eax, %ds\n\tmov results, %eax\nnullds32_end:\tmov $0x2b, %eax\n\tmov %eax, %ds\n\tjmp back32\n"
    "badjump32:\n\tljmp $0x10, $0x1000\nbadjump32_end:\tjmp back32\n"
    "beyond32:\n\tmov $0x7, %eax\n\tmov %eax, %es\n\tmov %es:0x1000, %eax\nbeyond32_end:\tmov $0x2b, %eax\n\tmov %eax, %es\n\tjmp back32\n"
    "out32:\n\tout %al, $0x80\nout32_end:\tjmp back32\n"
    "fetch32:\n\tmov $0xfffff000, %eax\n\tjmp *%eax\nfetch32_end:\tjmp back32\n"
    ".code64\n.popsection\n");
extern unsigned long to32(void *);
#define CODE(name) extern char name[], name##_end[];
CODE(null32) CODE(write32) CODE(ud32) CODE(divide32) CODE(into32) CODE(bound32) CODE(hlt32) CODE(int81) CODE(int3_32)
CODE(syscall32) CODE(badds32) CODE(nullds32) CODE(badjump32) CODE(beyond32) CODE(out32) CODE(fetch32)
extern char calls32[], kill32[], fork32[], pause32[], loop32[], steps32[];

static char *resume;
static char *begin;
static int handled;

static void handler(int signo, siginfo_t *info, void *context) {
  unsigned long *words = (void *)((char *)context + 40);
  unsigned cs, ss;
  handled++;
  __asm__("mov %%cs, %0" : "=r"(cs));
  __asm__("mov %%ss, %0" : "=r"(ss));
  printf("signal %d code %d", signo, info->si_code);
  if (signo == SIGSEGV || signo == SIGILL || signo == SIGFPE || signo == SIGTRAP)
    printf(" addr %s%ld", info->si_addr == 0 ? "null " : (char *)info->si_addr - begin < 64 ? "at " : "",
           (char *)info->si_addr - begin < 64 && info->si_addr ? (char *)info->si_addr - begin : (long)info->si_addr);
  if (resume) printf(" rip %+ld trap %lu error %#lx", (long)words[16] - (long)begin, words[20], words[19]);
  printf(" segments %#lx flags %#lx sp %s now %#x %#x\n", words[18], *(unsigned long *)context,
         words[15] - low_stack + 64 < 128 ? "low" : "elsewhere", cs, ss);
  if (resume) words[16] = (unsigned long)resume;
}

static void fault(const char *name, char *code, char *end) {
  begin = code;
  resume = end;
  printf("%s: ", name);
  unsigned long kept = to32(code);
  printf("  back, kept %#lx\n", kept);
  resume = NULL;
}
#define FAULT(name) fault(#name, name, name##_end)

static void on_alarm(int signo, siginfo_t *info, void *context) {
  unsigned long *words = (void *)((char *)context + 40);
  handled++;
  results[8] = words[18] & 0xffff;
}

static void traced(void) {
  fflush(stdout);
  pid_t child = fork();
  int status;
  struct user_regs_struct user;
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    to32(steps32);
    _exit(9);
  }
  waitpid(child, &status, 0);
  ptrace(PTRACE_GETREGS, child, 0, &user);
  printf("traced: %#x cs %llx ss %llx eip %lld rax %llx\n", status, user.cs, user.ss, user.rip - (long)steps32, user.rax);
  for (int i = 0; i < 6; i++) {
    ptrace(PTRACE_SINGLESTEP, child, 0, 0);
    waitpid(child, &status, 0);
    ptrace(PTRACE_GETREGS, child, 0, &user);
    printf("step: %#x cs %llx", status, user.cs);
    if (user.cs == 0x23) printf(" eip %lld eax %llx ebx %llx", user.rip - (long)steps32, user.rax & 0xffffffff, user.rbx & 0xffffffff);
    printf("\n");
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    to32(calls32);
    _exit(9);
  }
  waitpid(child, &status, 0);
  printf("untraced end: %#x\n", status);
  fflush(stdout);
}

int main(void) {
  char *low = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  low_stack = (unsigned)(unsigned long)low + 65536 - 64;
  struct user_desc small = {.entry_number = 0, .base_addr = (unsigned long)results, .limit = 15, .seg_32bit = 1};
  syscall(SYS_modify_ldt, 0x11, &small, sizeof small);
  unsigned flat = 0x2b;
  __asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(flat));
  unsigned long kept = to32(calls32);
  printf("calls: pid %d mapped %s unmapped %d unknown %d sp %d cs %#x ss %#x kept %#lx\n", results[0] == getpid(),
         results[1] > 4096 && results[1] < 0xffffe000 ? "low" : "elsewhere", results[2], results[3],
         results[4] == low_stack, results[5] & 0xffff, results[6] & 0xffff, kept);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  results[0] = getpid();
  to32(kill32);
  printf("kill: %d sp %d cs %#x handled %d\n", results[2], results[3] == low_stack, results[4] & 0xffff, handled);
  static char alternate[65536];
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  sigaltstack(&stack, NULL);
  action.sa_flags |= SA_ONSTACK;
  const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1};
  for (int i = 0; i < 6; i++) sigaction(signals[i], &action, NULL);
  to32(kill32);
  FAULT(null32);
  FAULT(write32);
  FAULT(ud32);
  FAULT(divide32);
  FAULT(into32);
  results[0] = 1;
  results[1] = 9;
  FAULT(bound32);
  FAULT(hlt32);
  FAULT(int81);
  FAULT(int3_32);
  FAULT(badds32);
  FAULT(nullds32);
  FAULT(badjump32);
  FAULT(beyond32);
  FAULT(out32);
  FAULT(fetch32);
  fflush(stdout);
  to32(fork32);
  int status;
  pid_t child = waitpid(results[0], &status, 0);
  printf("fork: %d %#x\n", child == results[0], status);
  action.sa_sigaction = on_alarm;
  sigaction(SIGALRM, &action, NULL);
  handled = 0;
  struct itimerval soon = {.it_value = {0, 20000}};
  unsigned *time = (unsigned *)low;
  time[0] = 5;
  time[1] = 0;
  argument = (unsigned)(unsigned long)low;
  setitimer(ITIMER_REAL, &soon, NULL);
  to32(pause32);
  printf("pause: %d handled %d cs %#x\n", results[0], handled, results[8]);
  time[0] = 0;
  time[1] = 50000000;
  action.sa_handler = SIG_IGN;
  sigaction(SIGUSR1, &action, NULL);
  to32(pause32);
  printf("sleep: %d\n", results[0]);
  fflush(stdout);
  /* Two of them take turns. */
  child = fork();
  argument = 3000000;
  results[0] = 0;
  to32(loop32);
  if (child == 0) _exit(results[0] == argument && results[1] == 0x23 ? 3 : 4);
  waitpid(child, &status, 0);
  printf("turns: %d %#x %#x\n", results[0], results[1] & 0xffff, status);
  traced();
  return 0;
}
