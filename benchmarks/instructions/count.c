// A plugin of QEMU that counts the instructions of a program of one thread, and prints the count so
// far at each call of getppid. What it needs of qemu-plugin.h, which distributions leave out, is
// declared here.

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

typedef uint64_t Id;
struct qemu_plugin_tb;
typedef void Translated(Id, struct qemu_plugin_tb*);
typedef void Called(Id, unsigned, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                    uint64_t, uint64_t, uint64_t);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb*);
void qemu_plugin_register_vcpu_tb_trans_cb(Id, Translated*);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb*, int, void*, uint64_t);
void qemu_plugin_register_vcpu_syscall_cb(Id, Called*);

int qemu_plugin_version = 1;

// Of the kernel's interface for 64-bit Arm.
enum { kGetppid = 173 };
// Of the plugins' interface.
enum { kAdd = 0 };

static uint64_t count;

static void translated(Id id, struct qemu_plugin_tb* block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, kAdd, &count, qemu_plugin_tb_n_insns(block));
}

static void called(Id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
  (void)id, (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
  if (number == kGetppid) fprintf(stderr, "totals: %" PRIu64 "\n", count);
}

int qemu_plugin_install(Id id, const void* about, int count_of_arguments, char** arguments) {
  (void)about, (void)count_of_arguments, (void)arguments;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, called);
  return 0;
}
