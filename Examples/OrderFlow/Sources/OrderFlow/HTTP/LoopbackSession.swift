import Foundation

#if canImport(FoundationNetworking)
  package import FoundationNetworking
#endif

extension URLSession {
  /// A session for calls to this machine: no cache, no cookies, and no proxy.
  package static func loopback() -> URLSession {
    bypassProxies
    let configuration = URLSessionConfiguration.ephemeral
    // No answer is cached here, but on Linux even an unused cache is asked first, and a task that is
    // cancelled meanwhile and ends can stop the program. Foundation's issue 3296 has the message.
    configuration.urlCache = nil
    configuration.httpShouldSetCookies = false
    // Six unless told otherwise: a limit of calls at a time that nobody sees, with a queue that has no
    // bound. Limits are the policies' business.
    configuration.httpMaximumConnectionsPerHost = 256
    return URLSession(configuration: configuration)
  }

  // libcurl, below URLSession on Linux, sends even a call to 127.0.0.1 to the proxy that the
  // environment names; the configuration's `connectionProxyDictionary` does not change that.
  private static let bypassProxies: Void = {
    let environment = ProcessInfo.processInfo.environment
    guard ["http_proxy", "all_proxy", "ALL_PROXY"].contains(where: { environment[$0] != nil })
    else { return }
    let bypassed = [environment["no_proxy"], "127.0.0.1"].compactMap(\.self)
    unsafe setenv("no_proxy", bypassed.joined(separator: ","), 1)
  }()
}
