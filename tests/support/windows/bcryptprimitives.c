/* Wine 8 lacks this library, from which Rust's standard library has its random numbers. */
#include <stddef.h>
int __stdcall SystemFunction036(void *buffer, unsigned long length);
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *buffer, size_t length) {
    return SystemFunction036(buffer, (unsigned long)length);
}
