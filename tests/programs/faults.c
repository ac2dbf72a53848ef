#include "freestanding.h"
static volatile int mode; static u64 fixip; static struct ucx*lastuc; static volatile int cnt; static u64 skip;
static void h(int s,struct si*i,struct ucx*u){
  u64 rsp=(u64)__builtin_frame_address(0)+8; // frame address (pretcode at rsp on entry)
  cnt++;
  kv("sig",s);kv("signo",i->signo);kv("errno",i->err);kv("code",i->code);
  if(mode&1){kx("addr-ip",i->addr-u->ip);}
  if(mode&2){kx("addr",i->addr);}
  if(mode&4){kv("pid_self",i->k.pid==SC(39));kv("uid",i->k.uid);kx("val",i->k.val);}
  kx("err",u->err);kv("trap",u->trapno);kx("fl",u->fl);kx("mask",u->mask);kx("ucf",u->flags);kx("cs",u->cs);kx("ss",u->ss);kx("gs",u->gs);kx("fs",u->fs);kv("ssf",u->ss_flags);
  u64 entry=(u64)i-312; 
  kv("al",entry%16);kv("uc-fr",(u64)u-entry);kv("fpal",(u64)u->fp%64);kv("fp-frame",(u64)u->fp>entry+440?0:1);
  ps("cr2="); px((mode&8)?u->cr2:0); pc(' ');
  u32*sw=(u32*)(u->fp+464); kx("m1",sw[0]);kx("ext-sz",sw[1]-sw[4]);kx("m2",*(u32*)(u->fp+sw[4]));
  kx("xbv&203",*(u64*)(u->fp+512)&0x203);
  nl();
  u64 now; SC(14,0,0,&now,8); kx("blocked",now); nl();
  if(skip){u->ip+=skip;} if(fixip){u->ip=fixip;}
  lastuc=u;
}
static u8 stk[65536] __attribute__((aligned(16)));
static long xcode(const char*name){ps("-- ");ps(name);nl();return 0;}
int main_(long*sp){
  for(int s=1;s<=31;s++) if(s!=9&&s!=19) act(s,h,SA_SIGINFO,0);
  for(int s=32;s<=64;s++) act(s,h,SA_SIGINFO,0);
  mode=3; xcode("ud2"); skip=2; mode=1; asm volatile("ud2");
  xcode("div"); skip=2; asm volatile("xor %%edx,%%edx; xor %%ecx,%%ecx; mov $1,%%eax; .byte 0xf7,0xf1":::"eax","edx","ecx");
  xcode("idiv overflow"); skip=2; asm volatile("mov $0x80000000,%%eax; cltd; mov $-1,%%ecx; .byte 0xf7,0xf9":::"eax","edx","ecx");
  xcode("int3"); skip=0; mode=2; asm volatile("int3");
  xcode("hlt"); skip=1; mode=2; asm volatile("hlt");
  xcode("cli"); asm volatile("cli");
  xcode("in"); asm volatile("in %%dx,%%al":::"eax");
  xcode("int20"); skip=2; asm volatile("int $0x20");
  xcode("int4"); skip=0; asm volatile("int $4"); xcode("int3 long"); asm volatile(".byte 0xcd,3"); xcode("icebp"); asm volatile(".byte 0xf1"); skip=2;
  xcode("int80-ish int $0x81"); asm volatile("int $0x81");
  xcode("null read"); skip=2; mode=2|8; asm volatile("xor %%ecx,%%ecx; .byte 0x8b,0x01":::"eax","ecx");
  xcode("null write"); asm volatile("mov $16,%%ecx; .byte 0x89,0x01":::"eax","ecx");
  xcode("write text"); {u64 o=mode; mode=1; skip=2; u64 d; asm volatile("lea 1f(%%rip),%%rcx; 1: .byte 0x89,0x01":::"eax","ecx","rcx"); mode=o;}
  xcode("noncanonical"); mode=2; asm volatile("movabs $0x800000000000,%%rcx; .byte 0x8b,0x01":::"eax","rcx");
  xcode("kernel addr"); mode=2|8; asm volatile("movabs $0xffff888000000123,%%rcx; .byte 0x8b,0x01":::"eax","rcx");
  xcode("kernel write"); asm volatile("movabs $0xffff888000000123,%%rcx; .byte 0x89,0x01":::"eax","rcx");
  xcode("last page"); asm volatile("movabs $0x7ffffffff000,%%rcx; .byte 0x8b,0x01":::"eax","rcx");
  xcode("straddle top"); mode=2; skip=3; asm volatile("movabs $0x7ffffffffffc,%%rcx; .byte 0x48,0x8b,0x01":::"rax","rcx");
  return 0;
}
