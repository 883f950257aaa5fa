#include "host/app/cli.hpp"

int main(int argc, char** argv) { return penstock::app::run({argv + (argc > 0 ? 1 : 0), argv + argc}); }
