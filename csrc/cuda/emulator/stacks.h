#pragma once

// The switch from one stack to another, which a thread of the emulator is.

#ifndef __x86_64__
#error "the emulator switches between threads on x86-64 only"
#endif

// Saves the registers that a function keeps, puts the stack's end into *from, and goes on where the
// stack `to` left off.
extern "C" void minifloat_switch_stack(void** from, void* to);
asm(R"(
.text
.globl minifloat_switch_stack
.hidden minifloat_switch_stack
.type minifloat_switch_stack, @function
minifloat_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size minifloat_switch_stack, . - minifloat_switch_stack
)");
