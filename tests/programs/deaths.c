#include "freestanding.h"
// argument: scenario number; how it dies is the answer
static void h(int s){ }
static void hseg(int s,struct si*i,struct ucx*u){ ps("in segv handler code=");pd(i->code);nl(); SC(231,7); }
int main_(long*sp){
  char*a=(char*)sp[2]; int n=(a[0]-'0')*10+a[1]-'0'; long pid=SC(39);
  switch(n){
   case 1: *(volatile int*)0=1; break;
   case 2: act(11,h,0,0); mask(0,B(11)); *(volatile int*)0=1; break;
   case 3: act(11,(void*)1,0,0); *(volatile int*)0=1; break;
   case 4: act(11,hseg,SA_SIGINFO,0); asm volatile("mov $0x1000,%rsp; mov $39,%eax; syscall; movl $0,0"); break;
   case 5: { struct ksa k={hseg,SA_SIGINFO,0,0}; SC(13,10,&k,0,8); act(11,hseg,SA_SIGINFO,0); SC(62,pid,10); break; }
   case 6: act(11,hseg,SA_SIGINFO,0); asm volatile("mov $0x1000,%%rsp; mov $15,%%eax; syscall":::"memory"); break;
   case 7: SC(62,pid,6); break;
   case 8: SC(62,pid,9); break;
   case 9: SC(62,pid,13); break;
   case 10: asm volatile("ud2"); break;
   case 11: asm volatile("int3"); break;
   case 12: asm volatile("xor %%ecx,%%ecx; div %%ecx":::"eax","edx","ecx"); break;
   case 13: SC(231,0x1ff); break;
   case 14: SC(60,300); break;
   case 15: SC(62,pid,17); SC(62,pid,23); SC(62,pid,28); SC(62,pid,18); return 5;
   case 16: SC(62,pid,34); break;
   case 17: asm volatile("jmp *%0"::"r"(0x123456789abcul)); break;
   case 18: asm volatile("jmp *%0"::"r"(0x8000000000000000ul)); break;
   case 19: asm volatile("push $0x100; popf; nop; nop"); break;
   case 20: act(5,hseg,SA_SIGINFO,0); asm volatile("pushf; orl $0x100,(%rsp); popf; nop; nop"); break;
  }
  return 99;
}
