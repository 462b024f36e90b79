package import Foundation

/// What arrived in place of an order, with everything that is wrong about it.
package struct InvalidOrder: Error {
  package let problems: [String]
}

extension Order {
  /// Decodes and checks an order.
  package init(json: Data) throws(InvalidOrder) {
    self = try OrderDraft(json: json).checked()
  }
}

// Decoding the order itself would stop at the first thing that is wrong, and for a number such as
// 1e30 or 1.5 the decoder says "not valid JSON" without a field. The draft lets every field be
// missing or wrong, so that the checks see them all.
private struct OrderDraft: Decodable {
  var userId: Field<Int>?
  var items: Field<[Field<Item>]>?

  struct Item: Decodable {
    var sku: Field<String>?
    var quantity: Field<Int>?
  }

  enum Field<Value: Decodable>: Decodable {
    case value(Value)
    case wrong

    init(from decoder: any Decoder) throws {
      self = (try? Value(from: decoder)).map(Field.value) ?? .wrong
    }
  }
}

extension OrderDraft {
  init(json: Data) throws(InvalidOrder) {
    do {
      self = try JSONDecoder().decode(OrderDraft.self, from: json)
    } catch DecodingError.dataCorrupted {
      throw InvalidOrder(problems: ["the body is not JSON" + Self.whyNot(json)])
    } catch {
      throw InvalidOrder(problems: ["the body must be a JSON object"])
    }
  }

  // JSONDecoder does not say where the text went wrong; JSONSerialization does.
  private static func whyNot(_ json: Data) -> String {
    do {
      _ = try JSONSerialization.jsonObject(with: json, options: .fragmentsAllowed)
      return ""
    } catch let error as NSError {
      let why = error.userInfo[NSDebugDescriptionErrorKey] as? String
      return why.map { ": \($0)" } ?? ""
    }
  }

  /// - Throws: every problem, the first ten in words: a body can hold thousands.
  func checked() throws(InvalidOrder) -> Order {
    var problems = Problems()
    let userId = problems.check(userId, "userId", in: 1...Int.max)
    let items = checkedItems(&problems)
    guard let userId, let items, problems.isEmpty else {
      throw InvalidOrder(problems: problems.inWords)
    }
    return Order(userId: userId, items: items)
  }

  private func checkedItems(_ problems: inout Problems) -> [Order.Item]? {
    let limits = Order.Limits.items
    guard let items else { return problems.missing("items") }
    guard case .value(let list) = items else {
      return problems.add("items must be a list of \(limits.inWords) items")
    }
    guard limits.contains(list.count) else {
      return problems.add("items must be a list of \(limits.inWords) items, not of \(list.count)")
    }
    return list.enumerated().compactMap { index, item in
      guard case .value(let item) = item else {
        return problems.add("items[\(index)] must be an object")
      }
      let sku = problems.check(sku: item.sku, "items[\(index)].sku")
      let quantity = problems.check(
        item.quantity, "items[\(index)].quantity", in: Order.Limits.quantity)
      guard let sku, let quantity else { return nil }
      return Order.Item(sku: sku, quantity: quantity)
    }
  }
}

private struct Problems {
  private var all: [String] = []

  var isEmpty: Bool { all.isEmpty }

  var inWords: [String] {
    all.count <= 10 ? all : all.prefix(10) + ["and \(all.count - 10) more"]
  }

  mutating func add<Value>(_ problem: String) -> Value? {
    all.append(problem)
    return nil
  }

  mutating func missing<Value>(_ name: String) -> Value? { add("\(name) is missing") }

  mutating func check(
    _ field: OrderDraft.Field<Int>?, _ name: String, in range: ClosedRange<Int>
  ) -> Int? {
    guard let field else { return missing(name) }
    guard case .value(let number) = field, range.contains(number) else {
      return add("\(name) must be a whole number, \(range.inWords)")
    }
    return number
  }

  mutating func check(sku field: OrderDraft.Field<String>?, _ name: String) -> String? {
    guard let field else { return missing(name) }
    let lengths = Order.Limits.skuLength
    guard case .value(let sku) = field, lengths.contains(sku.utf8.count),
      sku.utf8.allSatisfy(Self.isPlain)
    else {
      return add("\(name) must be \(lengths.inWords) letters, digits, '-', '_' or '.'")
    }
    return sku
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
      UInt8(ascii: "."):
      true
    default: false
    }
  }
}

extension ClosedRange<Int> {
  fileprivate var inWords: String {
    upperBound == .max ? "\(lowerBound) or more" : "\(lowerBound) to \(upperBound)"
  }
}
