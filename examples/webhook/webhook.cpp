// Takes webhook actions from the outbox and posts them, signed, with the action's id as idempotency key.
#include "outbox/sender.hpp"

#include <ctime>
#include <fstream>
#include <iterator>

#include <curl/curl.h>
#include <openssl/hmac.h>

namespace {

using outbox::Outcome;

constexpr const char* usage = R"(webhook: posts the webhook actions of pg_nurture to a URL

  --database CONNINFO   as for psql                          (default: from the environment)
  --url URL             where to                             (needed)
  --secret FILE         the key that signs, as the receiver knows it (needed)
  --channel NAME        whose actions                        (default: webhook)
  --batch N             claimed at a time                    (default: 50)
  --lease SECONDS       longer than a batch takes            (default: 60)
  --once                stop when nothing is left to claim

Each request carries Idempotency-Key, the action's id: a receiver that keeps the keys it has seen does everything exactly
once. Nurture-Signature is "t=SECONDS,v1=HEX": the HMAC-SHA256 (RFC 2104) of SECONDS, a full stop and the body.
The sending role needs EXECUTE on nurture.claim, complete, fail and next_claimable, and SELECT on nurture.lead.
)";

std::string signature(const std::string& secret, const std::string& body) {
    std::string const seconds = std::to_string(std::time(nullptr)), text = seconds + "." + body;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), digest, &length);
    std::string hex;
    for (unsigned i = 0; i < length; ++i)
        for (unsigned shift : {4U, 0U})
            hex += "0123456789abcdef"[digest[i] >> shift & 15U];
    return "t=" + seconds + ",v1=" + hex;
}

std::string body_of(const outbox::Action& action) {
    return nlohmann::json{{"id", action.id},           {"contact", action.contact},   {"action", action.template_name},
                          {"payload", action.payload}, {"attributes", action.attributes},
                          {"workflow", action.workflow}, {"step", action.step},       {"attempt", action.attempt}}
        .dump();
}

class Poster {
  public:
    Poster(std::string url, std::string secret) : url_(std::move(url)), secret_(std::move(secret)) {}

    [[nodiscard]] Outcome post(const outbox::Action& action) {
        CURL* const curl = handle_.get();
        curl_easy_reset(curl); // keeps the connection
        std::string const body = body_of(action);
        curl_slist* lines = nullptr;
        for (const auto& line : {"Content-Type: application/json", "Expect:"})
            lines = curl_slist_append(lines, line);
        lines = curl_slist_append(lines, ("Idempotency-Key: " + action.id).c_str());
        lines = curl_slist_append(lines, ("Nurture-Signature: " + signature(secret_, body)).c_str());
        std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> const headers(lines, curl_slist_free_all);
        curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, +[](char*, std::size_t size, std::size_t n, void*) { return size * n; });
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        return outcome_of(curl_easy_perform(curl));
    }

  private:
    [[nodiscard]] Outcome outcome_of(CURLcode code) const {
        if (code != CURLE_OK)
            return {Outcome::Kind::unreachable, curl_easy_strerror(code)};
        long status = 0;
        curl_off_t retry_after = 0;
        curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &retry_after);
        if (status >= 200 && status < 300)
            return {Outcome::Kind::done, {}};
        // Try again later: request timeout, too early, too many requests, and whatever is the server's fault.
        bool const later = status == 408 || status == 425 || status == 429 || status >= 500;
        return {later ? Outcome::Kind::try_later : Outcome::Kind::refused, "HTTP " + std::to_string(status),
                std::chrono::seconds(retry_after)};
    }

    struct Close {
        void operator()(void* handle) const noexcept { curl_easy_cleanup(handle); }
    };
    std::string url_, secret_;
    std::unique_ptr<void, Close> handle_{curl_easy_init()};
};

} // namespace

int main(int argc, char** argv) {
    outbox::Options const options(argc, argv, usage,
                                  {{"database", ""},
                                   {"url", ""},
                                   {"secret", ""},
                                   {"channel", "webhook"},
                                   {"batch", "50"},
                                   {"lease", "60"},
                                   {"once", ""}});
    if (options["url"].empty())
        options.refuse("--url is needed");
    std::ifstream file(options["secret"]);
    std::string secret{std::istreambuf_iterator<char>(file), {}};
    while (!secret.empty() && secret.back() == '\n')
        secret.pop_back();
    if (secret.empty())
        options.refuse("--secret needs a file that holds a key");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    Poster poster(options["url"], secret);
    outbox::Sender sender;
    sender.name = "webhook";
    sender.database = options["database"];
    sender.channel = options["channel"];
    sender.batch = options.number("batch");
    sender.lease = std::chrono::seconds(options.number("lease"));
    sender.once = !options["once"].empty();
    sender.carry_out = [&](const outbox::Action& action) { return poster.post(action); };
    return run(sender);
}
