hf_room(sim_client DEPENDS base mqtt sim_world HEADERS client.hpp client_spec.hpp
  SOURCES client.cpp client_auth.cpp client_receive.cpp client_send.cpp client_time.cpp)
