// Who can be moved from one version of a workflow to another: nobody does again what was done.
#include "core/language/language.hpp"
#include "core/language/migration.hpp"

#include <gtest/gtest.h>

namespace nurture::language {
namespace {

std::string problem(const std::string& before, const std::string& step, const std::string& after, const std::string& target) {
    return migration_problem(parse_workflow(before, {}), step, parse_workflow(after, {}), target);
}

TEST(Migration, NobodyDoesAgainWhatWasDone) {
    std::string const old = "on a send email 'a' wait 1 day send email 'b' wait 2 days send email 'c'";
    EXPECT_EQ(problem(old, "4", old, "4"), "");
    EXPECT_EQ(problem(old, "4", old, "5"), "");
    EXPECT_EQ(problem(old, "4", old, "2"), "send email 'b' (step 3) would be done again");
    EXPECT_EQ(problem(old, "4", old, "3"), "send email 'b' (step 3) would be done again");
    EXPECT_EQ(problem(old, "4", old, "1"), "send email 'a' (step 1) would be done again");
    // The same place is another one where something was put before it.
    EXPECT_EQ(problem(old, "2", "on a do 'new' " + old.substr(5), "2"), "send email 'a' (step 1) would be done again");
    EXPECT_EQ(problem(old, "2", "on a do 'new' " + old.substr(5), "3"), "");
    EXPECT_EQ(problem(old, "2", "on a wait 1 day send email 'b' send email 'a'", "1"), "send email 'a' (step 1) would be done again");
    // New steps may be done; a wait may be waited again.
    EXPECT_EQ(problem(old, "2", "on a wait 9 days do 'new' send email 'b'", "1"), "");
    EXPECT_EQ(problem("on a wait 1 day do 'x' wait 2 days do 'y'", "3", "on a wait 1 day do 'y'", "1"), "");
    // What was to come twice may come once more.
    EXPECT_EQ(problem("on a do 'x' wait 1 day do 'x'", "2", "on a wait 3 days do 'x'", "1"), "");
    EXPECT_EQ(problem("on a do 'x' wait 1 day do 'x'", "2", "on a wait 3 days do 'x' do 'x'", "1"), "do 'x' (step 1) would be done again");
    // Steps that are not there.
    EXPECT_EQ(problem(old, "9", old, "1"), "");
    EXPECT_EQ(problem(old, "4", old, "9"), "");
}

TEST(Migration, BlocksLoopsAndLabels) {
    std::string const choice = "on a do 'x' if p = 1 then do 'y' wait 1 day do 'z' else do 'w' wait 2 days end do 'end'";
    EXPECT_EQ(problem(choice, "2.then.2", choice, "2.else.2"), "");
    EXPECT_EQ(problem(choice, "2.then.2", choice, "2.then.1"), "do 'y' (step 2.then.1) would be done again");
    EXPECT_EQ(problem(choice, "2.else.2", choice, "2.then.1"), ""); // it was not done
    EXPECT_EQ(problem(choice, "2.else.2", choice, "2"), "do 'w' (step 2.else.1) would be done again");
    EXPECT_EQ(problem("on a if p = 1 then do 'y' end wait 1 day do 'z'", "2", "on a wait 1 day do 'y'", "1"),
              "do 'y' (step 1.then.1) would be done again"); // it may have been
    // In a loop all of it comes again.
    std::string const loop = "on a do 'x' repeat at most 9 do 'y' wait 1 day do 'z' wait 2 days end";
    EXPECT_EQ(problem(loop, "2.repeat.4", loop, "2.repeat.1"), "");
    EXPECT_EQ(problem(loop, "2.repeat.4", loop, "2.repeat.2"), "");
    EXPECT_EQ(problem(loop, "2.repeat.4", loop, "1"), "do 'x' (step 1) would be done again");
    std::string const goal = "on a goal on b go to here do 'x' label here do 'y' wait 1 day do 'z'";
    EXPECT_EQ(problem(goal, "4", goal, "3"), ""); // the goal may lead there anyway
    EXPECT_EQ(problem(goal, "4", goal, "1"), "do 'x' (step 1) would be done again");
}

TEST(Migration, Branches) {
    std::string const old = "on a do 'x' parallel do 'y' wait 1 day do 'z' and wait 2 days end do 'end'";
    EXPECT_EQ(problem(old, "2.branch1.2", old, "2.branch1.3"), "");
    EXPECT_EQ(problem(old, "2.branch1.2", old, "2.branch1.1"), "do 'y' (step 2.branch1.1) would be done again");
    EXPECT_EQ(problem(old, "2.branch1.2", old, "2.branch2.1"), "that step is in another branch");
    EXPECT_EQ(problem(old, "2.branch1.2", old, "3"), "this step is in a branch, and that one is not");
    EXPECT_EQ(problem("on a wait 1 day", "1", old, "2.branch2.1"), "that step is in a branch, and this one is not");
    EXPECT_EQ(problem(old, "2", old, "2"), "");
    EXPECT_EQ(problem(old, "2", old, "3"), "");
    // Left branches may have done what is in them; those that go along go on where they are.
    std::string const next = "on a do 'x' wait 1 day parallel do 'y' wait 1 day do 'z' and wait 2 days end do 'end'";
    EXPECT_EQ(problem(old, "2", next, "2"), "do 'y' (step 2.branch1.1) would be done again");
    EXPECT_EQ(problem(old, "2", next, "3"), "");
    EXPECT_EQ(problem(old, "2", "on a parallel do 'y' wait 1 day and wait 2 days and wait 3 days end", "1"), "do 'y' (step 2.branch1.1) would be done again");
}

} // namespace
} // namespace nurture::language
