hf_test(sim_contract_test SOURCES contract.cpp sim_contract_test.cpp USES hf::sim_world)
