#include <iostream>

#include <zlib.h>

int main() {
  std::cout << "hello, zlib " << zlibVersion() << '\n';
}
