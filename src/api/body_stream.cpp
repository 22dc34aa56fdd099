// SPDX-License-Identifier: Apache-2.0
#include "api/body_stream.h"

namespace claviger {
namespace {

class ArrayStream final : public BodyStream {
public:
    explicit ArrayStream(WriteElement write_next) : write_next_(std::move(write_next)) {}

    Result<bool> next(std::string& chunk) override {
        while (!has_ended_ && chunk.size() < usual_chunk) {
            const std::size_t start = chunk.size();
            chunk += has_begun_ ? ',' : '[';
            JsonWriter writer(chunk);
            const bool has_element = TRY(write_next_(writer));
            if (!has_element) {
                chunk.resize(start);
                chunk += has_begun_ ? "]" : "[]";
                has_ended_ = true;
            }
            has_begun_ = true;
        }
        return !chunk.empty();
    }

private:
    WriteElement write_next_;
    bool has_begun_ = false;
    bool has_ended_ = false;
};

} // namespace

std::unique_ptr<BodyStream> stream_array(WriteElement write_next) {
    return std::make_unique<ArrayStream>(std::move(write_next));
}

Result<std::string> read_to_end(BodyStream& stream) {
    std::string body;
    std::string chunk;
    for (bool more = TRY(stream.next(chunk)); more;) {
        body += chunk;
        chunk.clear();
        more = TRY(stream.next(chunk));
    }
    return body;
}

} // namespace claviger
