# Runs the code of a Logstash ruby filter on events, without Logstash.
# In: {"init", "code", "now", "events"}; out: what the filter emits for each event, a list.
# Event and Timestamp are stand-ins with the behaviour that Logstash documents for them.
require "json"
require "time"

module LogStash
  class TimestampParserError < StandardError; end

  class Timestamp
    attr_reader :time

    def initialize(time)
      @time = time.is_a?(Time) ? time.utc : Time.iso8601(time).utc
    rescue ArgumentError
      raise TimestampParserError, "invalid timestamp string format #{time}"
    end

    def to_s = @time.iso8601(@time.usec % 1000 == 0 ? 3 : 6)
    def to_json(*args) = to_s.to_json(*args)
  end

  class Event
    def initialize(data)
      @data = data.dup
      @metadata = @data.delete("@metadata") || {}
      stamp = @data["@timestamp"]
      @data["@timestamp"] = stamp.is_a?(Timestamp) ? stamp : Timestamp.new(stamp)
      @data["@version"] ||= "1"
    end

    attr_reader :metadata

    def timestamp = @data["@timestamp"]
    # Logstash makes a new Hash of its own data each time.
    def to_hash = copy(@data)
    def to_json(*args) = @data.to_json(*args)
    def cancel = @cancelled = true
    def cancelled? = @cancelled

    def get(reference)
      path(reference).reduce(root(reference)) { |node, part| node.is_a?(Hash) ? node[part] : nil }
    end

    def set(reference, value)
      *parents, last = path(reference)
      parents.reduce(root(reference)) { |node, part| node[part] ||= {} }[last] = value
    end

    def remove(reference)
      *parents, last = path(reference)
      node = parents.reduce(root(reference)) { |inner, part| inner.is_a?(Hash) ? inner[part] : nil }
      node.delete(last) if node.is_a?(Hash)
    end

    private

    def copy(value)
      case value
      when Hash then value.transform_values { |inner| copy(inner) }
      when Array then value.map { |inner| copy(inner) }
      else value
      end
    end

    def root(reference) = reference.start_with?("[@metadata]") ? { "@metadata" => @metadata } : @data

    def path(reference)
      raise "invalid field reference #{reference}" unless reference.match?(/\A(\[[^\[\]]+\])+\z/)
      reference[1..-2].split("][")
    end
  end
end

class Filter
  def initialize(init, code)
    eval(init, binding)
    @run = eval("lambda { |event, &new_event_block| #{code} }", binding)
  end

  def call(event)
    emitted = []
    @run.call(event) { |another| emitted << another }
    emitted.unshift(event) unless event.cancelled?
    emitted.map { |kept| { "document" => kept.to_hash, "metadata" => kept.metadata } }
  end
end

job = JSON.parse($stdin.read)
NOW = Time.iso8601(job["now"])
Time.define_singleton_method(:now) { NOW.dup }
filter = Filter.new(job["init"], job["code"])
puts JSON.generate(job["events"].map { |event| filter.call(LogStash::Event.new(event)) })
