#include "plan_sim.hpp"

#include "support/catch.hpp"

namespace seed::image {

TEST_CASE("long histories send little more than what changed, and pull little more than is live") {
  struct Row {
    sim::Kind kind;
    const char* name;
    double most;
  };

  for (const std::size_t count : {400U, 800U}) {
    for (const Row& row : {Row{sim::Kind::leaf, "leaf", 1.15},
                           Row{sim::Kind::mid, "mid", 1.3},
                           Row{sim::Kind::random_five, "random five", 1.3},
                           Row{sim::Kind::base, "base", 1.3}}) {
      const auto graph = sim::Graph::make(count, count);
      const auto outcome = sim::run(graph, sim::history(graph, row.kind, 40, 1), 96);
      INFO(count << " paths, " << row.name);
      CHECK(outcome.amplification <= row.most);
      CHECK(outcome.cold_growth <= 0.1);
      CHECK(outcome.most_layers <= 96);
    }
  }
}

}  // namespace seed::image
