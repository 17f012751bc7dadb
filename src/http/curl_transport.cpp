#include <algorithm>
#include <array>
#include <exception>
#include <mutex>

#include <curl/curl.h>
#include <fmt/core.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/text.hpp"
#include "http/ca_file.hpp"
#include "http/http.hpp"
#include "http/watchdog.hpp"

namespace seed::http {
namespace {

using Easy = Handle<CURL, curl_easy_cleanup>;
using List = Handle<curl_slist, curl_slist_free_all>;

constexpr std::size_t kMaxHeaderBytes = 256 << 10;
constexpr std::size_t kPooledHandles = 8;

bool is_success(int status) {
  return status >= 200 && status < 300;
}

/// Only what changes the peer's state may take long to answer.
std::chrono::milliseconds thinking_time(const Request& request, const CurlOptions& options) {
  const bool read_only = request.method == Method::get || request.method == Method::head;
  return read_only ? options.low_speed_time : options.response_timeout;
}

/// One exchange, as the callbacks of libcurl see it. What a callback throws is kept here, ends the
/// transfer and is thrown again once libcurl has returned: no exception passes through C.
class Exchange {
 public:
  Exchange(const Request& request, const CurlOptions& options)
      : request_(request),
        check_(options.check),
        watchdog_({.low_speed_bytes = options.low_speed_bytes,
                   .low_speed_time = options.low_speed_time,
                   .connect_timeout = options.connect_timeout,
                   .response_timeout = thinking_time(request, options)}) {}

  void install(CURL* curl) {
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &Exchange::on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, this);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, &Exchange::on_seek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, this);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, this);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  }

  /// Throws what a callback threw; true where the transfer was ended early with all we want.
  bool finish() {
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    return have_enough_;
  }

  Response& response() { return response_; }

  bool saw_response() const { return response_.status != 0; }

 private:
  /// Runs `step`; what it throws is kept, and `failed` is what tells libcurl to stop.
  template <class Result, class Step>
  Result guarded(Result failed, Step&& step) noexcept {
    try {
      return step();
    } catch (...) {
      failure_ = std::current_exception();
      return failed;
    }
  }

  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& me = *static_cast<Exchange*>(self);
    return me.guarded(std::size_t{0}, [&] {
      me.take_header({data, size});
      return size;
    });
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& me = *static_cast<Exchange*>(self);
    return me.guarded(std::size_t{0}, [&] {
      return me.take_body(bytes_of(std::string_view(data, size))) ? size : 0;
    });
  }

  static std::size_t on_read(char* data, std::size_t, std::size_t size, void* self) noexcept {
    auto& me = *static_cast<Exchange*>(self);
    return me.guarded(std::size_t{CURL_READFUNC_ABORT},
                      [&] { return me.give_body(std::as_writable_bytes(std::span(data, size))); });
  }

  /// libcurl rewinds when a kept connection turns out to be dead; it never seeks elsewhere.
  static int on_seek(void* self, curl_off_t offset, int origin) noexcept {
    auto& me = *static_cast<Exchange*>(self);
    if (offset != 0 || origin != SEEK_SET) {
      return CURL_SEEKFUNC_CANTSEEK;
    }
    me.source_ = nullptr;
    me.sent_bytes_ = 0;
    return CURL_SEEKFUNC_OK;
  }

  static int on_progress(
      void* self, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up) noexcept {
    auto& me = *static_cast<Exchange*>(self);
    return me.guarded(1, [&] {
      if (me.check_) {
        me.check_();
      }
      if (const auto why = me.watchdog_.tick(static_cast<std::uint64_t>(down + up),
                                             me.sent_bytes_ == me.request_.body_size_bytes,
                                             me.response_.status != 0)) {
        throw NetworkError(fmt::format("{}: {}", redact_url(me.request_.url), *why),
                           "the peer or the way to it is stuck; try again later",
                           0,
                           true);
      }
      return 0;
    });
  }

  void take_header(std::string_view line) {
    line = trim(line);
    header_bytes_ += line.size();
    if (header_bytes_ > kMaxHeaderBytes) {
      throw NetworkError(fmt::format(
          "{}: more than {} bytes of headers", redact_url(request_.url), kMaxHeaderBytes));
    }
    if (line.starts_with("HTTP/")) {
      start_response(line);
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
      response_.headers.add(std::string(trim(line.substr(0, colon))),
                            std::string(trim(line.substr(colon + 1))));
    }
  }

  /// One transfer may see several heads: 100 Continue comes before the response proper.
  void start_response(std::string_view line) {
    response_ = Response{};
    sink_ = nullptr;
    const std::size_t blank = std::min(line.find(' '), line.size());
    const auto status = parse_size(trim(line.substr(blank)).substr(0, 3));
    response_.status = status && *status >= 200 ? static_cast<int>(*status) : 0;
  }

  /// False: we have what we want of this body.
  bool take_body(ByteView bytes) {
    response_.body_size_bytes += bytes.size();
    if (!is_success(response_.status)) {
      const std::size_t room = kMaxErrorBodyBytes - response_.body.size();
      response_.body.append(text_of(bytes.first(std::min(room, bytes.size()))));
      have_enough_ = bytes.size() > room;
      return !have_enough_;
    }
    if (!sink_ && request_.into) {
      sink_ = request_.into(response_);
    }
    if (response_.body_size_bytes > request_.max_response_bytes) {
      throw NetworkError(fmt::format("{}: the response is longer than {} bytes",
                                     redact_url(request_.url),
                                     request_.max_response_bytes),
                         "the server sends more than such an answer can hold");
    }
    if (sink_) {
      const auto pause = watchdog_.pause();
      sink_(bytes);
    } else {
      response_.body.append(text_of(bytes));
    }
    return true;
  }

  std::size_t give_body(std::span<std::byte> buffer) {
    const auto pause = watchdog_.pause();
    if (!source_) {
      source_ = request_.body ? request_.body() : source_of("");
    }
    const std::uint64_t rest = request_.body_size_bytes - sent_bytes_;
    buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), rest)));
    const std::size_t count = buffer.empty() ? 0 : source_(buffer);
    if (count == 0 && rest != 0) {
      throw Error(fmt::format("{}: the body ended {} bytes early", redact_url(request_.url), rest),
                  "the file changed while it was sent");
    }
    sent_bytes_ += count;
    return count;
  }

  const Request& request_;
  std::function<void()> check_;
  Watchdog watchdog_;
  Source source_;
  std::uint64_t sent_bytes_ = 0;
  Sink sink_;
  std::size_t header_bytes_ = 0;
  Response response_;
  bool have_enough_ = false;
  std::exception_ptr failure_;
};

void refuse_line_breaks(std::string_view text) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    throw FormatError("header with a line break in it");
  }
}

List header_list(const Request& request) {
  List list;
  const auto append = [&](const std::string& line) {
    refuse_line_breaks(line);
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) {
      throw std::bad_alloc();
    }
    static_cast<void>(list.release());
    list.reset(longer);
  };
  for (const auto& [name, value] : request.headers.entries()) {
    append(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  // Waiting for a 100 costs a second behind every proxy that does not know it, and whoever wants to
  // refuse us has done so when the upload was opened.
  append("Expect:");
  // libcurl would call every POST a form.
  if (!request.headers.get("Content-Type")) {
    append("Content-Type:");
  }
  return list;
}

void set_method(CURL* curl, const Request& request) {
  const auto size = static_cast<curl_off_t>(request.body_size_bytes);
  switch (request.method) {
    case Method::get:
      curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
      return;
    case Method::head:
      curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
      return;
    case Method::del:
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
      return;
    case Method::post:
      curl_easy_setopt(curl, CURLOPT_POST, 1L);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, size);
      return;
    case Method::put:
    case Method::patch:
      curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, size);
      if (request.method == Method::patch) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PATCH");
      }
      return;
  }
}

bool may_pass(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_OUT_OF_MEMORY:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return false;
    default:
      return true;
  }
}

std::string hint_for(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return "set SSL_CERT_FILE to a file with the certificate authorities to trust";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "check the host's name, and that this machine has a name server";
    case CURLE_COULDNT_CONNECT:
      return "check that the server runs and that a proxy or firewall lets us through";
    default:
      return {};
  }
}

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(CurlOptions options)
      : options_(std::move(options)),
        ca_file_(find_ca_file(options_.ca_file)),
        ca_directory_(find_ca_directory()) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK) {
      throw Error(fmt::format("libcurl does not start: {}", curl_easy_strerror(started)));
    }
  }

  Response send(const Request& request) override {
    if (options_.check) {
      options_.check();
    }
    Easy curl = take();
    std::array<char, CURL_ERROR_SIZE> why{};
    const List headers = header_list(request);
    Exchange exchange(request, options_);
    configure(curl.get(), request);
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, why.data());
    exchange.install(curl.get());
    const CURLcode code = curl_easy_perform(curl.get());
    curl_easy_reset(curl.get());
    give_back(std::move(curl));
    const bool enough = exchange.finish();
    if (code != CURLE_OK && !enough) {
      const char* text = why[0] != '\0' ? why.data() : curl_easy_strerror(code);
      throw NetworkError(fmt::format("{}: {}", redact_url(request.url), printable(text)),
                         hint_for(code),
                         0,
                         may_pass(code));
    }
    return std::move(exchange.response());
  }

 private:
  void configure(CURL* curl, const Request& request) const {
    const std::string url = Url::parse(request.url).to_string();
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, options_.user_agent.c_str());
    curl_easy_setopt(
        curl,
        CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(std::chrono::milliseconds(options_.connect_timeout).count()));
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    if (!ca_file_.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file_.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_CAPATH, ca_directory_.c_str());
    set_method(curl, request);
  }

  /// A handle keeps its connections, so the one used last is the most likely to have a live one.
  Easy take() {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      Easy curl = std::move(idle_.back());
      idle_.pop_back();
      return curl;
    }
    Easy curl(curl_easy_init());
    if (!curl) {
      throw std::bad_alloc();
    }
    return curl;
  }

  void give_back(Easy curl) {
    const std::scoped_lock lock(mutex_);
    if (idle_.size() < kPooledHandles) {
      idle_.push_back(std::move(curl));
    }
  }

  CurlOptions options_;
  std::string ca_file_;
  std::string ca_directory_;
  std::mutex mutex_;
  std::vector<Easy> idle_;
};

}  // namespace

std::unique_ptr<Transport> curl_transport(CurlOptions options) {
  return std::make_unique<CurlTransport>(std::move(options));
}

}  // namespace seed::http
