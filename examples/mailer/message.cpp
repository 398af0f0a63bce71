#include "mailer/message.hpp"

#include <algorithm>
#include <ctime>

#include <curl/curl.h>

namespace mailer {

namespace {

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::size_t const here = std::min<std::size_t>(3, bytes.size() - i);
        unsigned word = 0;
        for (std::size_t k = 0; k < 3; ++k)
            word = word << 8 | (k < here ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            out += k <= here ? digits[word >> (18 - 6 * k) & 63U] : '=';
    }
    return out;
}

// RFC 2047: other than ASCII goes in encoded words of at most 75 characters, which must not cut a character.
std::string header_text(const std::string& text) {
    auto ascii = [](unsigned char c) { return c < 128; };
    if (std::all_of(text.begin(), text.end(), ascii))
        return text;
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = std::min(i + 45, text.size());
        while (end < text.size() && end > i + 1 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
            --end;
        out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + base64(std::string_view(text).substr(i, end - i)) + "?=";
        i = end;
    }
    return out;
}

struct List {
    curl_slist* items = nullptr;
    List() = default;
    List(const List&) = delete;
    List& operator=(const List&) = delete;
    ~List() { curl_slist_free_all(items); }
    void add(const std::string& line) { items = curl_slist_append(items, line.c_str()); }
};

// What is not ASCII in short lines goes as Base64 (RFC 2045), so that every server takes it.
std::string body_text(const std::string& body) {
    bool const ascii = std::all_of(body.begin(), body.end(), [](unsigned char c) { return c < 128; });
    bool short_lines = true;
    std::string lines;
    for (std::size_t from = 0; from < body.size();) {
        std::size_t const end = std::min(body.find('\n', from), body.size());
        short_lines = short_lines && end - from <= 900;
        lines += body.substr(from, end - from) + "\r\n";
        from = end + 1;
    }
    if (ascii && short_lines)
        return "Content-Transfer-Encoding: 7bit\r\n\r\n" + lines;
    std::string out = "Content-Transfer-Encoding: base64\r\n\r\n";
    for (std::size_t from = 0; from < lines.size(); from += 57)
        out += base64(std::string_view(lines).substr(from, 57)) + "\r\n";
    return out;
}

struct Upload {
    std::string text;
    std::size_t sent = 0;
    static std::size_t read(char* into, std::size_t size, std::size_t n, void* self) {
        auto& upload = *static_cast<Upload*>(self);
        std::size_t const here = upload.text.copy(into, size * n, upload.sent);
        upload.sent += here;
        return here;
    }
};

std::string date() {
    char text[64];
    std::time_t const now = std::time(nullptr);
    std::tm broken_down{};
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &broken_down));
    return text;
}

std::string message_text(const std::string& message_id, const std::string& from, const std::string& to,
                         const Letter& letter) {
    return "Message-ID: " + message_id + "\r\nDate: " + date() + "\r\nFrom: <" + from + ">\r\nTo: <" + to +
           ">\r\nSubject: " + header_text(letter.subject) +
           "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n" + body_text(letter.body);
}

} // namespace

std::string address_of(const outbox::Action& action) {
    auto text = [](const nlohmann::json& object, const char* key) {
        return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : std::string();
    };
    std::string address = text(action.payload, "to");
    if (address.empty())
        address = text(action.attributes, "email");
    if (address.empty())
        address = action.contact;
    std::size_t const at = address.find('@');
    bool const plain = std::none_of(address.begin(), address.end(), [](unsigned char c) {
        return c <= ' ' || c >= 127 || c == '<' || c == '>' || c == ',' || c == ';';
    });
    if (!plain || at == std::string::npos || at == 0 || at + 1 == address.size())
        throw Unsendable("\"" + address + "\" is not an address");
    return address;
}

void Smtp::Close::operator()(void* handle) const noexcept { curl_easy_cleanup(handle); }

Smtp::Smtp(std::string url, std::string from) : url_(std::move(url)), from_(std::move(from)), handle_(curl_easy_init()) {}

outbox::Outcome Smtp::deliver(const std::string& action_id, const std::string& to, const Letter& letter) {
    CURL* const curl = handle_.get();
    curl_easy_reset(curl); // keeps the connection
    List recipients;
    recipients.add("<" + to + ">");
    Upload upload{message_text("<" + action_id + from_.substr(from_.find('@')) + ">", from_, to, letter)};
    std::string const sender = "<" + from_ + ">";
    curl_easy_setopt(curl, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender.c_str());
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.items);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, &Upload::read);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);

    CURLcode const code = curl_easy_perform(curl);
    long reply = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply);
    using Kind = outbox::Outcome::Kind;
    if (code == CURLE_OK)
        return {Kind::done, {}};
    std::string const reason = "SMTP " + std::to_string(reply) + ": " + curl_easy_strerror(code);
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_OPERATION_TIMEDOUT ||
        code == CURLE_LOGIN_DENIED || reply == 421)
        return {Kind::unreachable, reason};
    return {reply >= 500 ? Kind::refused : Kind::try_later, reason};
}

} // namespace mailer
