#pragma once
// An e-mail as it goes over the wire (RFC 5322, RFC 2047), and its delivery over SMTP.
#include "mailer/template.hpp"
#include "outbox/sender.hpp"

#include <memory>

namespace mailer {

/// Where the action's mail goes: the payload's "to", else the attribute "email", else the contact's key. Throws Unsendable
/// if that is no address.
[[nodiscard]] std::string address_of(const outbox::Action& action);

/// One connection to an SMTP server, kept open from mail to mail.
class Smtp {
  public:
    Smtp(std::string url, std::string from);
    /// Delivers with the Message-ID <action id@domain of from>: whoever gets it twice can tell that it is the same.
    [[nodiscard]] outbox::Outcome deliver(const std::string& action_id, const std::string& to, const Letter& letter);

  private:
    struct Close {
        void operator()(void* handle) const noexcept;
    };
    std::string url_, from_;
    std::unique_ptr<void, Close> handle_;
};

} // namespace mailer
