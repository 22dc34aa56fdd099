// SPDX-License-Identifier: Apache-2.0
#include "cli/operator_text.h"

#include <algorithm>

namespace claviger {

Result<std::string> argument(const OperatorRequest& request, std::string_view name) {
    const auto at = request.arguments.find(name);
    if (at == request.arguments.end()) {
        return fail(ErrorCode::invalid_request,
                    request.command + " needs the argument " + std::string(name));
    }
    return at->second;
}

Lines aligned(const std::vector<Lines>& rows) {
    std::vector<std::size_t> widths;
    for (const Lines& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    Lines lines;
    for (const Lines& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) {
                line.append(widths[i] - row[i].size() + 2, ' ');
            }
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

} // namespace claviger
