#include "verify_trial.hpp"

#include "support/catch.hpp"

namespace seed::sigstore {

std::function<void(Trial&)> after(std::function<void(Bundle&)> change) {
  return [change](Trial& trial) { trial.after = change; };
}

std::function<void(Trial&)> at_entry(std::function<void(LogEntry&)> change) {
  return after([change](Bundle& bundle) { change(bundle.log_entries.front()); });
}

std::function<void(Trial&)> text(const std::string& from, const std::string& to) {
  return [=](Trial& trial) {
    trial.at_text = [=](std::string& bundle) {
      REQUIRE(bundle.find(from) != std::string::npos);
      bundle.replace(bundle.find(from), from.size(), to);
    };
  };
}

std::function<void(Trial&)> extension(const std::string& name, const std::string& value) {
  return [=](Trial& trial) {
    trial.order.change_certificate = [=](test::CertificateRequest& request) {
      std::erase_if(request.extensions, [&](const auto& one) { return one.first == name; });
      if (!value.empty()) {
        request.extensions.emplace_back(name, value);
      }
    };
  };
}

void flip(Bytes& bytes) {
  bytes.back() ^= std::byte{1};
}

DsseEnvelope& envelope(Bundle& bundle) {
  return std::get<DsseEnvelope>(bundle.content);
}

void by_key(Trial& trial) {
  trial.order.managed_key = true;
  trial.expected.identities.clear();
  trial.expected.key = trial.order.key.public_key();
}

void as_message(Trial& trial) {
  trial.order.statement.reset();
  trial.order.entries = {test::EntryForm::hashedrekord};
  trial.expected.predicate_type.reset();
}

void as_rekor2(Trial& trial) {
  trial.order.entries = {test::EntryForm::rekor2};
}

Bundle another(Trial& trial) {
  return trial.sigstore.bundle(trial.order);
}

void check_breakages(const std::vector<Breakage>& breakages) {
  for (const Breakage& breakage : breakages) {
    INFO(breakage.name);
    Trial trial;
    breakage.break_it(trial);
    const Verdict verdict = trial.run();
    const auto* rejection = std::get_if<Rejection>(&verdict);
    if (rejection == nullptr) {
      FAIL_CHECK("it was verified");
      continue;
    }
    INFO(rejection->why);
    CHECK(std::string(to_string(rejection->check)) == std::string(to_string(breakage.check)));
    CHECK(rejection->why.find(breakage.why) != std::string::npos);
    for (const Evidence& passed : rejection->passed) {
      CHECK(passed.check <= breakage.check);
    }
  }
}

}  // namespace seed::sigstore
