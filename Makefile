# Every task by name. `make demo` and `make test` are all that a newcomer needs.
# One profile for everything: the engine takes five minutes to compile and is compiled once.

CARGO ?= cargo
DUIJIE = target/release/duijie

.PHONY: help demo serve test check chaos released bench runtime build clean

help:
	@echo "make demo   取得运行库、编译、导入示例数据并演示匹配"
	@echo "make serve  启动服务（127.0.0.1:50051），Ctrl-C 停止"
	@echo "make test   运行全部测试"
	@echo "make check  格式、静态检查、文档"
	@echo "make chaos  断电、磁盘写满、损坏、断流、时钟回调、失去节点：长时间测试并列表（轮数由 ROUNDS 决定，缺省 200）"
	@echo "make released  发布时更新 proto/released.binpb（上一发布版的接口）"
	@echo "make bench  运行基准测试（规模由 DUIJIE_BENCH_RECORDS 决定，缺省 10000）"

# ONNX Runtime, pinned and hash checked, into runtime/
runtime:
	@scripts/runtime.sh

build: runtime
	$(CARGO) build --release --locked

demo: build
	@$(DUIJIE) demo

serve: build
	@$(DUIJIE) serve

test: runtime
	$(CARGO) test --release --locked --workspace
	@test -n "$$QDRANT_URL" || echo "未设置 QDRANT_URL：契约测试在内嵌引擎和测试服务器上运行，未在真正的 Qdrant 上运行"
	@test -n "$$QDRANT_BIN" || echo "未设置 QDRANT_BIN：真正的集群失去节点时的读写（tests/qdrant_cluster）未检查"
	@test -n "$$CHROME_BIN" || command -v chromium > /dev/null || echo "未找到 Chromium（CHROME_BIN 或 PATH）：活动的打印页未在浏览器中检查"

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps
	$(CARGO) test --release --locked --test it tidy
	@if command -v buf > /dev/null; then buf lint proto && buf breaking proto --against proto/released.binpb; \
		else echo "未找到 buf：proto 的格式只由 tidy 检查，与上一发布版是否兼容未检查"; fi

# A bad day: what CI tests for seconds, for as long as wanted. QDRANT_BIN names a Qdrant server for the lost node.
chaos: runtime
	@scripts/chaos.sh $(ROUNDS)

# Only with a release: proto/released.binpb is what `make check` compares proto/ with. Needs buf (PyPI and npm carry it).
released:
	buf build proto --exclude-source-info -o proto/released.binpb

bench: runtime
	$(CARGO) bench --locked --bench bench

clean:
	$(CARGO) clean
	rm -rf data runtime
