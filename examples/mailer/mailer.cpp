// Takes e-mail actions from the outbox, fills in their templates, delivers them over SMTP.
#include "mailer/message.hpp"
#include "mailer/template.hpp"
#include "outbox/sender.hpp"

#include <curl/curl.h>

namespace {

constexpr const char* usage = R"(mailer: delivers the e-mail actions of pg_nurture over SMTP

  --database CONNINFO   as for psql                          (default: from the environment)
  --smtp URL            smtp://host:port, smtps://host       (default: smtp://localhost:25)
  --from ADDRESS        the sender                           (needed)
  --templates FOLDER    a file NAME.txt per template         (default: templates)
  --channel NAME        whose actions                        (default: email)
  --batch N             claimed at a time                    (default: 50)
  --lease SECONDS       longer than a batch takes            (default: 60)
  --once                stop when nothing is left to claim

The sending role needs EXECUTE on nurture.claim, complete, fail and next_claimable, and SELECT on nurture.lead.
)";

} // namespace

int main(int argc, char** argv) {
    outbox::Options const options(argc, argv, usage,
                                  {{"database", ""},
                                   {"smtp", "smtp://localhost:25"},
                                   {"from", ""},
                                   {"templates", "templates"},
                                   {"channel", "email"},
                                   {"batch", "50"},
                                   {"lease", "60"},
                                   {"once", ""}});
    if (options["from"].find('@') == std::string::npos)
        options.refuse("--from needs an address");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    mailer::Smtp smtp(options["smtp"], options["from"]);
    outbox::Sender sender;
    sender.name = "mailer";
    sender.database = options["database"];
    sender.channel = options["channel"];
    sender.batch = options.number("batch");
    sender.lease = std::chrono::seconds(options.number("lease"));
    sender.once = !options["once"].empty();
    sender.carry_out = [&](const outbox::Action& action) -> outbox::Outcome {
        try {
            std::string const to = mailer::address_of(action);
            return smtp.deliver(action.id, to, mailer::render(options["templates"], action));
        } catch (const mailer::Unsendable& problem) {
            return {outbox::Outcome::Kind::refused, problem.what()};
        }
    };
    return run(sender);
}
