#include "objects/testing/remote_contract.h"

namespace sluice::objects {
namespace {

INSTANTIATE_TEST_SUITE_P(Folder, RemoteContract,
                         testing::Values([] { return FreshFolder(false); }));
INSTANTIATE_TEST_SUITE_P(FolderWithoutOpenat2, RemoteContract,
                         testing::Values([] { return FreshFolder(true); }));
INSTANTIATE_TEST_SUITE_P(S3, RemoteContract, testing::Values(FreshBucket));

}  // namespace
}  // namespace sluice::objects
