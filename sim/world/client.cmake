hf_room(sim_client DEPENDS base mqtt sim_world HEADERS client.hpp client_spec.hpp message_properties.hpp
  SOURCES client.cpp client_auth.cpp client_properties.cpp client_receive.cpp client_send.cpp client_time.cpp message_properties.cpp)
