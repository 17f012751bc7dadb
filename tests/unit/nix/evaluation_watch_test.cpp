#include "nix/evaluation_watch.hpp"

#include "support/catch.hpp"

namespace seed::nix {
namespace {

const std::string kDrv = "/nix/store/wcnpifrbj9wjxynipxzyxw243gxnjq8r-gen.nix.drv";

/// Says one line and keeps what it was called with.
class Says final : public os::Runner {
 public:
  explicit Says(std::string text) : text_(std::move(text)) {}

  os::Exit run(const os::Command& command, const Sink&, const Sink& err) override {
    called = command.argv;
    // Two bytes at a time: a line may come in any number of pieces.
    for (std::size_t i = 0; i < text_.size(); i += 2) {
      err(bytes_of(std::string_view(text_).substr(i, 2)));
    }
    return {};
  }

  std::vector<std::string> called;

 private:
  std::string text_;
};

}  // namespace

// Lines of `nix eval --debug` of Nix 2.8.0, 2.26.3 and 2.34.8.
TEST_CASE("what an evaluation builds is read from each version's debug lines") {
  const auto line =
      GENERATE(as<std::string>{},
               "building of '/nix/store/wcnpifrbj9wjxynipxzyxw243gxnjq8r-gen.nix.drv!out' from "
               ".drv file: created",
               "building of '/nix/store/wcnpifrbj9wjxynipxzyxw243gxnjq8r-gen.nix.drv^out' from "
               ".drv file: loading derivation",
               "obtaining derivation from "
               "'/nix/store/wcnpifrbj9wjxynipxzyxw243gxnjq8r-gen.nix.drv' and then building "
               "outputs 'out': created outer",
               "getting output 'out' from derivation "
               "'/nix/store/wcnpifrbj9wjxynipxzyxw243gxnjq8r-gen.nix.drv': created");
  CHECK(built_by_evaluation(line) == StorePath::parse(kDrv));
}

TEST_CASE("a derivation that is only instantiated was not built by the evaluation") {
  CHECK_FALSE(built_by_evaluation("instantiated 'gen.nix' -> '" + kDrv + "'"));
  CHECK_FALSE(built_by_evaluation("building of 'nothing'"));
  CHECK_FALSE(built_by_evaluation("building of '/nix/store/short.drv!out'"));
  CHECK_FALSE(built_by_evaluation(""));
}

TEST_CASE("an evaluation is watched, any other command is left as it is") {
  Says says("x\nbuilding of '" + kDrv + "!out' from .drv file: created\nbuilding of '");
  EvaluationWatch watch(says);
  const Sink none = [](ByteView) {};

  watch.run({.argv = {"nix", "eval", "--json", "x"}}, none, none);
  CHECK(says.called == std::vector<std::string>{"nix", "eval", "--debug", "--json", "x"});
  CHECK(watch.built() == std::set{StorePath::parse(kDrv)});

  watch.run({.argv = {"nix", "build", "x"}}, none, none);
  CHECK(says.called == std::vector<std::string>{"nix", "build", "x"});
}

}  // namespace seed::nix
