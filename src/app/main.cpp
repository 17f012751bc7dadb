#include "app/commands.hpp"

int main(int argc, char** argv) {
  return seed::app::run(argc, argv);
}
