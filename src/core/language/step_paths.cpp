#include "core/language/step_paths.hpp"

#include "core/language/blocks.hpp"

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
                           std::holds_alternative<WaitFor>(step.node) || std::holds_alternative<WaitWorkflow>(step.node) ||
                           std::holds_alternative<Parallel>(step.node);
        found.push_back({path, std::move(text), waits});
        for_ways(step, [&](const Steps& steps, const std::string& way) { block(steps, path + '.' + way + '.'); });
    }
};

} // namespace

std::vector<StepPlace> step_places(const Workflow& workflow) {
    Places places;
    places.block(workflow.steps, "");
    return std::move(places.found);
}

} // namespace nurture::language
