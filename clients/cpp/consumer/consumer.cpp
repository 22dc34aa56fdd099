// SPDX-License-Identifier: Apache-2.0
// Answers one request by the adapter for Beast: prints its status, and 200 for one that may go on.
// Arguments: server, audience, client id, client secret, token, permission, scope type, scope id.
#include <claviger/beast.h>

#include <iostream>

int main(int count, char** arguments) {
    if (count != 9) {
        return 2;
    }
    claviger::verifier_options options;
    options.server = arguments[1];
    options.audience = arguments[2];
    options.client_id = arguments[3];
    options.client_secret = arguments[4];
    const claviger::verifier verifier(options);
    if (!verifier.wait_until_ready(std::chrono::seconds(30))) {
        std::cerr << verifier.status().last_problem << '\n';
        return 1;
    }
    namespace http = boost::beast::http;
    http::request<http::empty_body> request(http::verb::get, "/", 11);
    request.set(http::field::authorization, "Bearer " + std::string(arguments[5]));
    const auto deny =
        claviger::beast::require(verifier, request, arguments[6], {arguments[7], arguments[8]});
    std::cout << (deny ? deny->result_int() : 200) << '\n';
    if (deny) {
        std::cout << (*deny)[http::field::www_authenticate] << '\n' << deny->body() << '\n';
    }
    return 0;
}
