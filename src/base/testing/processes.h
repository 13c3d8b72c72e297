// Several processes at once, for the promises that hold between them.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <vector>

namespace sluice {

/// Forks `count` processes at once, runs `body` with 0 .. count - 1 in one each and expects of all
/// of them that it returns 0; other numbers (to 255) tell in the test's log where it stopped. The
/// caller has no thread, SQLite connection or lock at that moment: they do not survive a fork.
/// Destructors of the caller do not run in the children.
inline void RunProcesses(int count, const std::function<int(int)>& body) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(body(i));
    children.push_back(child);
  }
  for (int i = 0; i < count; ++i) {
    pid_t child = children[static_cast<size_t>(i)];
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status))
        << "process " << i << " was ended by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0) << "process " << i;
  }
}

}  // namespace sluice
