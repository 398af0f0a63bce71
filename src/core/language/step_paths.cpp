#include "core/language/step_paths.hpp"

#include "core/language/language.hpp"

namespace nurture::language {

namespace {

class Places {
  public:
    std::vector<StepPlace> found;

    void block(const Steps& steps, const std::string& prefix) {
        for (std::size_t i = 0; i < steps.size(); ++i)
            step(*steps[i], prefix + std::to_string(i + 1));
    }

  private:
    void step(const Step& step, const std::string& path) {
        Workflow alone;
        alone.steps.emplace_back(step);
        std::string text = print(alone);
        text.resize(std::min(text.find('\n'), text.size()));
        bool const waits = std::holds_alternative<Wait>(step.node) || std::holds_alternative<WaitUntil>(step.node) ||
                           std::holds_alternative<WaitFor>(step.node) || std::holds_alternative<WaitWorkflow>(step.node);
        found.push_back({path, std::move(text), waits});
        if (const auto* wait = std::get_if<WaitFor>(&step.node)) {
            block(wait->then_steps, path + ".then.");
            for (std::size_t i = 0; i < wait->others.size(); ++i)
                block(wait->others[i].steps, path + ".or" + std::to_string(i + 1) + '.');
            block(wait->else_steps, path + ".else.");
        } else if (const auto* choice = std::get_if<If>(&step.node)) {
            for (std::size_t i = 0; i < choice->branches.size(); ++i)
                block(choice->branches[i].steps, path + (i == 0 ? ".then." : ".elsif" + std::to_string(i) + '.'));
            block(choice->else_steps, path + ".else.");
        } else if (const auto* cases = std::get_if<Switch>(&step.node)) {
            for (std::size_t i = 0; i < cases->cases.size(); ++i)
                block(cases->cases[i].steps, path + ".when" + std::to_string(i + 1) + '.');
            block(cases->else_steps, path + ".else.");
        } else if (const auto* split = std::get_if<Split>(&step.node)) {
            for (const Arm& arm : split->arms)
                block(arm.steps, path + '.' + print_name(arm.name) + '.');
        } else if (const auto* loop = std::get_if<Repeat>(&step.node)) {
            block(loop->steps, path + ".repeat.");
        }
    }
};

} // namespace

std::vector<StepPlace> step_places(const Workflow& workflow) {
    Places places;
    places.block(workflow.steps, "");
    return std::move(places.found);
}

} // namespace nurture::language
